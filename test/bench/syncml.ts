import { SaxesParser } from "saxes";
import type { Message } from "../../tree/wire/message.ts";
import { readMessage } from "../../tree/wire/syncml-read.ts";
import { writeMessage } from "../../tree/wire/syncml-write.ts";
import { rate } from "./measure.ts";
import type { Table } from "./measure.ts";

/** A message read and written, beside the bare parser that does nothing with what it reads. */
export async function syncmlBench(): Promise<readonly Table[]> {
  const rows: string[][] = [];
  for (const items of [10, 100, 2000]) {
    const message = manyItems(items);
    const bytes = writeMessage(message);
    const text = new TextDecoder().decode(bytes);
    const perSecond = [
      await rate(() => void readMessage(bytes)),
      await rate(() => void new SaxesParser({ xmlns: true }).write(text).close()),
      await rate(() => void writeMessage(message)),
    ];
    const megabytes = perSecond.map((times) => ((times * bytes.length) / 1e6).toFixed(1));
    rows.push([`${items} items, ${(bytes.length / 1000).toFixed(1)} kB`, ...megabytes]);
  }
  return [{ caption: "SyncML in XML, MB/s", columns: ["message", "read", "bare saxes", "write"], rows }];
}

function manyItems(count: number): Message {
  const target = (n: number) => ({ uri: `./Devices/d${n}/MQTT/light/brightness` });
  return {
    header: {
      verDtd: "1.2",
      verProto: "DM/1.2",
      sessionId: "1",
      msgId: "2",
      target: { uri: "urn:uuid:0b9ff0a4-8a1f-4c5c-9d5b-0f7c3c1b2a19" },
      source: { uri: "https://dm.example.com/dm" },
      maxMsgSize: 65_536,
    },
    commands: Array.from({ length: count }, (_, n) => ({
      name: "Replace",
      cmdId: String(n + 1),
      meta: {},
      items: [
        { target: target(n), meta: { format: "chr", type: "text/plain" }, data: `a < b & ${n}`, moreData: false },
      ],
    })),
    final: true,
  };
}
