import type { Adapter, Host } from "../adapter.ts";
import { UpnpDevices } from "./devices.ts";
import type { UpnpOptions } from "./options.ts";

/** The UPnP devices that SSDP finds, as far as they describe themselves (UDA 1.1 section 2). Read only; their events are left out. */
export async function start(options: UpnpOptions, host: Host): Promise<Adapter> {
  const devices = new UpnpDevices(options, host);
  return {
    consider: (sighting) => devices.consider(sighting),
    ended({ source, key }) {
      if (source === "ssdp") devices.ended(key);
    },
    stop: () => devices.stop(),
  };
}
