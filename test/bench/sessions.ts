import { get } from "../fakes/dm-server/asks.ts";
import { startDmServer } from "../fakes/dm-server.ts";
import type { DmServer } from "../fakes/dm-server.ts";
import { managing, reachable, withGateway } from "./process.ts";
import { manyDevices } from "./many-devices.ts";
import { rate, round } from "./measure.ts";
import type { Table } from "./measure.ts";

const commands = 10;

/**
 * Whole sessions against the fake server, over HTTP, with MD5 on both sides and ten commands each. Their nonces are synced to the disk
 * before the next one begins. One server has one session at a time; several servers have theirs side by side.
 */
export async function sessionsBench(): Promise<readonly Table[]> {
  const rows: string[][] = [];
  const home = await manyDevices(1);
  for (const count of [1, 4]) {
    const servers = await Promise.all(Array.from({ length: count }, (_, n) => startDmServer(accountsOf(n))));
    const config = { ...managing(home.url), servers: servers.map((server, n) => entryOf(server, n)) };
    await withGateway(config, async (gateway) => {
      await reachable(gateway, 1);
      const one = async (server: DmServer, n: number) => {
        const asks = Array.from({ length: commands }, (_, c) => get(`./Devices/d1/MQTT/part0/value${c}`));
        const answered = server.run(asks);
        await gateway.ask("POST", `/v1/servers/${nameOf(n)}/connect`);
        const bad = (await answered).filter(({ status }) => status !== 200);
        if (bad.length > 0) throw new Error(`a command was answered ${bad[0]?.status}`);
      };
      const perSecond = count * (await rate(() => Promise.all(servers.map(one)), 3000));
      rows.push([String(count), round(perSecond), round(perSecond * commands)]);
    });
    await Promise.all(servers.map((server) => server.stop()));
  }
  await home.stop();
  return [
    {
      caption: `sessions of ${commands} commands, per second (gateway and servers on one machine)`,
      columns: ["servers", "sessions", "commands"],
      rows,
    },
  ];
}

const nameOf = (n: number) => `bench-${n}`;

function accountsOf(n: number) {
  const secret = (name: string) => ({ name, secret: "bench", nonce: Buffer.from("first") });
  return { client: secret("gateway"), server: secret(nameOf(n)) };
}

function entryOf({ url }: DmServer, n: number) {
  const { client, server } = accountsOf(n);
  const shown = ({ name, secret, nonce }: typeof client) => ({
    type: "digest",
    name,
    secret,
    nonce: nonce.toString("base64"),
  });
  return {
    id: nameOf(n),
    url,
    insecure: true,
    encoding: "xml",
    poll: 0,
    auth: { client: shown(client), server: shown(server) },
  };
}
