import { lanInterfaces } from "../../../daemon/lan.ts";
import type { LanInterface } from "../../../daemon/lan.ts";
import { announceServices } from "./mdns-services.ts";
import type { ServiceRecord } from "./mdns-services.ts";
import { upnpServer } from "./upnp-server.ts";
import type { UpnpModel } from "./upnp-server.ts";

/** A thing on the loopback that has an address of its own there. */
export interface HostModel {
  /** 127.0.0.x, one for each host. */
  readonly address: string;
  /** Its name without domain. */
  readonly host: string;
  /** What it announces by mDNS. */
  readonly services: readonly ServiceRecord[];
  readonly upnp?: UpnpModel;
}

export interface LanHost {
  readonly model: HostModel;
  /** Says goodbye by all that it speaks, and is gone. */
  leave(): Promise<void>;
}

/**
 * Puts a host on the loopback; resolves when it has announced itself. It answers questions (RFC 6762, UDA 1.1 section 1) as long as it is there.
 * @throws DmError 503 when a port is held by a program that does not share it.
 */
export async function lanHost(model: HostModel): Promise<LanHost> {
  const link = loopbackAt(model.address);
  const parts = [
    ...(model.services.length === 0 ? [] : [await announceServices(link, model.host, model.services)]),
    ...(model.upnp === undefined ? [] : [await upnpServer(link, model.upnp)]),
  ];
  return {
    model,
    async leave() {
      await Promise.all(parts.map((part) => part.leave()));
    },
  };
}

/** All of 127.0.0.0/8 is this machine's: each address of it can be a host's. */
function loopbackAt(address: string): LanInterface {
  const [lo] = lanInterfaces(["lo"]);
  if (lo === undefined) throw new Error("this machine has no loopback");
  return { ...lo, address };
}
