import type { Adapter } from "../../../adapters/adapter.ts";
import { start } from "../../../adapters/upnp/index.ts";
import { fakeClock } from "../../fakes/clock.ts";
import { fakeHost } from "../../fakes/host.ts";
import { adapterContract } from "../contract.ts";
import { description, router, webDevice } from "./small-home.ts";

const rootKey = "uuid:75802409-0000-0000-0000-000000000001";

adapterContract(
  "UPnP",
  async () => {
    const clock = fakeClock();
    const device = await webDevice(router);
    const odd = await webDevice("", "127.0.0.3");
    let adapter: Adapter | undefined;
    return {
      clock,
      host: () => fakeHost(clock),
      identity: rootKey.replace("uuid", "upnp"),
      async start(host) {
        adapter = await start({ enabled: true, access: "approve" }, host);
        adapter.consider?.(device.sighting(rootKey));
        return adapter;
      },
      async announce() {
        adapter?.consider?.(device.sighting(rootKey));
      },
      async lose() {
        await device.down();
        adapter?.ended?.({ source: "ssdp", key: rootKey });
      },
      async odd() {
        const names = [
          "__proto__",
          "constructor",
          "ünï cödé ☃",
          "%2F",
          "a/b",
          "..",
          "a".repeat(255),
          "\u202egpj.exe",
          "",
        ];
        const service = (name: string) => `<service><serviceId>urn:x:serviceId:${name}</serviceId></service>`;
        const inner = (name: string, n: number) =>
          `<device><UDN>uuid:__proto__${n}</UDN><deviceType>urn:x:device:${name}:1</deviceType></device>`;
        odd.says(
          description(
            { UDN: "uuid:__proto__", friendlyName: "../../etc\u0085☃" },
            `<serviceList>${[...names, ...names].map(service).join("")}</serviceList>
             <deviceList>${names.map(inner).join("")}</deviceList>`,
          ),
        );
        adapter?.consider?.(odd.sighting("uuid:__proto__"));
        return "upnp:__proto__";
      },
      async stop() {
        await device.down();
        await odd.down();
      },
    };
  },
  "read only",
);
