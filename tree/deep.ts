import type { Acl, Principal } from "./acl.ts";
import { allows } from "./acl.ts";
import { DmError } from "./errors.ts";
import type { Call } from "./mo.ts";
import { join, joinRel } from "./path.ts";
import type { Rel } from "./path.ts";
import type { Mount, Place, Places } from "./places.ts";
import type { Interior, Snapshot } from "./value.ts";
import { isInterior } from "./value.ts";

/**
 * A node and all below it, over every MO on the way. What the principal may not Get is left out, node by node.
 * A device that does not answer costs its own branch, not the whole answer: that child is there, but unread (undefined).
 */
export async function readDeep(places: Places, place: Place, acl: Acl, call: Call): Promise<Snapshot> {
  const { mount, rel } = place;
  if (mount.mo !== places.skeleton) {
    const all = await mount.mo.read(rel, "deep", call);
    return isInterior(all) ? visible(mount, rel, all, acl, call.by) : all;
  }
  const read = async (name: string): Promise<readonly [string, Snapshot | undefined] | undefined> => {
    const at = join(place.at, name);
    const own = places.ownAcl(at) ?? acl;
    if (!allows(own, "Get", call.by)) return undefined;
    try {
      return [name, await readDeep(places, places.find(at), own, call)];
    } catch (error) {
      if (error instanceof DmError && !call.signal.aborted) return [name, undefined];
      throw error;
    }
  };
  const children = await Promise.all([...places.skeleton.names(rel)].map(read));
  return { format: "node", children: new Map(children.filter((child) => child !== undefined)) };
}

/** What of a deep answer this principal may see; nodes that take no Get (secrets) are nobody's. */
function visible(mount: Mount, rel: Rel, all: Interior, acl: Acl, by: Principal): Interior {
  const children = new Map<string, Snapshot | undefined>();
  for (const [name, child] of all.children) {
    const at = joinRel(rel, name);
    if (mount.mo.schema(at)?.access.has("Get") === false) continue;
    const own = (mount.book.hasAcls ? mount.book.get(at)?.acl : undefined) ?? acl;
    if (!allows(own, "Get", by)) continue;
    children.set(name, child !== undefined && isInterior(child) ? visible(mount, at, child, own, by) : child);
  }
  return { format: "node", children };
}
