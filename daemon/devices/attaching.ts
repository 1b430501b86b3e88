import type { Attached, Face } from "../../adapters/adapter.ts";
import { DmError, Status } from "../../tree/errors.ts";
import type { Log } from "../../tree/ports.ts";
import type { Device, LiveFace } from "./device.ts";
import type { Faces } from "./faces.ts";
import { traceOfFace } from "../identity/traces.ts";
import type { Joining } from "./joining.ts";
import type { Registry } from "./registry.ts";

export interface AttachingPorts {
  readonly registry: Registry;
  readonly joining: Joining;
  readonly faces: Faces;
  readonly log: Log;
  /** The device was heard just now, or is found to be in another state; why, in a few words. */
  readonly heard: (device: Device, reason: string) => void;
  readonly settled: (device: Device, reason: string) => void;
}

/** A face of an adapter becomes one of a device, and stays it however the device is joined or parted. @throws DmError 418 it is attached already */
export function attachFace(first: Face, adapter: string, ports: AttachingPorts): Attached {
  const { registry, joining, faces, log, heard, settled } = ports;
  const { index } = registry;
  let face = first;
  let live: LiveFace | undefined;

  const isPresent = (device: Device | undefined): device is Device =>
    device !== undefined && live !== undefined && device.faces.get(face.identity) === live;

  /** The device of the face now; after `forget`, a face that speaks again is a new device's. */
  const present = (): { readonly device: Device; readonly live: LiveFace } => {
    const known = index.of(face.identity);
    if (isPresent(known) && live !== undefined) return { device: known, live };
    if (known?.faces.has(face.identity) === true)
      throw new DmError(Status.alreadyExists, `${face.identity} is attached already`);
    live = { face, adapter, reachable: live?.reachable ?? face.reachable, mounted: undefined };
    const device = joining.place(traceOfFace(face));
    // A face always gets a device: only sightings are refused.
    if (device === undefined) throw new DmError(Status.deviceFull, `there is no room for ${face.identity}`);
    if (live.reachable) heard(device, `heard by ${face.name}`);
    faces.join(device, live);
    settled(device, `its ${face.name} adapter has found it`);
    return { device, live };
  };
  present();

  return {
    changed(rels) {
      const { device, live } = present();
      heard(device, `heard by ${face.name}`);
      live.mounted?.changed(rels);
    },
    seen: () => heard(present().device, `heard by ${face.name}`),
    reachable(now) {
      if (!now && live !== undefined && !isPresent(index.of(face.identity))) {
        live.reachable = false;
        return;
      }
      const { device, live: here } = present();
      if (now) heard(device, `heard by ${face.name}`);
      if (here.reachable === now) return;
      here.reachable = now;
      settled(device, now ? `heard by ${face.name}` : `${face.name} says that it is away`);
    },
    update(news) {
      face = { ...face, ...news };
      present();
      joining.place(traceOfFace(face));
    },
    finished: (correlator, status) => log.info("a deferred command has ended", { correlator, status }),
    detach() {
      const device = index.of(face.identity);
      if (!isPresent(device) || live === undefined) return;
      // Before the face leaves the tree: that tells of the new state, with this reason.
      device.cause = `it left ${face.name}`;
      joining.ended(face.identity);
      faces.leave(device, live);
      live = undefined;
      settled(device, device.cause);
    },
  };
}
