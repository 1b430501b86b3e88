import type { DeviceReport, DeviceStory, StatusReport } from "../../../daemon/gateway.ts";
import type { RunningGateway } from "../../demo/gateway.ts";
import { until } from "./process.ts";

/** What a person with a terminal knows of the devices. */
export interface Inventory {
  /** A verb with `--json`. */
  json<T>(...args: string[]): Promise<T>;
  devices(): Promise<readonly DeviceReport[]>;
  status(): Promise<StatusReport>;
  /** The first listing in which a device fits. @throws Error that tells the last listing */
  listed(what: string, fits: (device: DeviceReport) => boolean, ms?: number): Promise<DeviceReport>;
  /** `device ID --why`, as data and as people read it. */
  why(id: string): Promise<DeviceStory>;
  story(id: string): Promise<string>;
}

/** `gateway`: the one that runs now. */
export function inventoryOf(gateway: () => RunningGateway): Inventory {
  const json = async <T>(...args: string[]) => JSON.parse(await gateway().cli(...args, "--json")) as T;
  const devices = () => json<readonly DeviceReport[]>("devices");
  return {
    json,
    devices,
    status: () => json("status"),
    async listed(what, fits, ms) {
      let last: readonly DeviceReport[] = [];
      const look = async () => (last = await devices()).find(fits);
      return until(`${what} in dmgw devices`, look, ms).catch((cause: unknown) => {
        throw new Error(`${String(cause)}: ${JSON.stringify(last, undefined, 1)}`, { cause });
      });
    },
    why: (id) => json("device", id, "--why"),
    story: (id) => gateway().cli("device", id, "--why"),
  };
}
