import { createHash } from "node:crypto";
import { DmError, Status } from "./errors.ts";

declare const brand: unique symbol;
/** A valid, canonical address from the root: "." or "./DevInfo/DevId". Only this file makes one, so it can be a Map key. */
export type Path = string & { readonly [brand]: "Path" };
/** A valid, canonical address inside one MO: "" (its root) or "Ext/Fw". */
export type Rel = string & { readonly [brand]: "Rel" };

/**
 * What ./DevDetail/URI says of this client (DM TND 1.2.1, addressing): segments, characters of the whole, characters of one segment.
 */
export const pathLimits = { depth: 32, total: 1023, segment: 255 } as const;

export const root = "." as Path;
export const top = "" as Rel;

// Characters that a node name may hold unescaped: unreserved plus those that DM clients are known to accept.
const plain = /^[A-Za-z0-9\-_.!~*'():@&=+$,]+$/;
const control = /[\u0000-\u001f\u007f]/;

/**
 * Reads an address as a server, the CLI or a file writes it ("./A/B" and "A/B" are the same node).
 * The result is canonical: one spelling for each node, with non-ASCII and reserved characters percent-encoded (UTF-8).
 * @throws DmError 400 malformed, 414 over a limit of {@link pathLimits}.
 */
export function parsePath(text: string): Path {
  if (text === "." || text === "./") return root;
  const body = text.startsWith("./") ? text.slice(2) : text;
  const rel = parseRel(body);
  if (rel === "") throw new DmError(Status.badRequest, "the address is empty");
  return `./${rel}` as Path;
}

/** Like {@link parsePath}, for an address inside an MO; "" is the MO's own root. */
export function parseRel(text: string): Rel {
  if (text === "") return top;
  if (text.length > pathLimits.total * 3) throw tooLong(`the address has ${text.length} characters`);
  const segments = text.split("/");
  if (segments.length > pathLimits.depth) throw tooLong(`the address has ${segments.length} segments`);
  const rel = segments.map(canonicalSegment).join("/");
  if (rel.length + 2 > pathLimits.total) throw tooLong(`the address has ${rel.length + 2} characters`);
  return rel as Rel;
}

function tooLong(what: string): DmError {
  return new DmError(
    Status.uriTooLong,
    `${what}; at most ${pathLimits.depth} segments of ${pathLimits.segment}, ${pathLimits.total} characters in all`,
  );
}

function canonicalSegment(text: string): string {
  if (text === "") throw new DmError(Status.badRequest, "the address has an empty segment (// or a slash at its end)");
  if (text === "." || text === "..") throw new DmError(Status.badRequest, `"${text}" is not a node name`);
  if (plain.test(text)) return checkedLength(text);
  let name: string;
  try {
    name = decodeURIComponent(text);
  } catch {
    throw new DmError(Status.badRequest, `"${text.slice(0, 64)}" holds a broken percent escape`);
  }
  if (control.test(name)) throw new DmError(Status.badRequest, "a node name may not hold control characters");
  return checkedLength(escapeName(name));
}

function checkedLength(segment: string): string {
  if (segment.length > pathLimits.segment) throw tooLong(`a segment has ${segment.length} characters`);
  return segment;
}

function escapeName(name: string): string {
  if (plain.test(name) && name !== "." && name !== "..") return name;
  const escaped = encodeURIComponent(name.toWellFormed()).replace(/%(3A|40|26|3D|2B|24|2C)/g, (e) =>
    decodeURIComponent(e),
  );
  return escaped === "." ? "%2E" : escaped === ".." ? "%2E%2E" : escaped;
}

/**
 * One path segment for a name that a device chose: any text in, always a valid segment out. "/" and everything unusual is
 * escaped; what is too long is cut and made unique by a hash, always in the same way.
 */
export function segmentOf(name: string): string {
  const clean = name.replace(new RegExp(control, "g"), "_");
  if (clean === "") return "_";
  const escaped = escapeName(clean);
  if (escaped.length <= pathLimits.segment) return escaped;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 12);
  return `${escaped.slice(0, 120).replace(/%[0-9A-F]?$/, "")}~${hash}`;
}

/** The name that a segment stands for: percent escapes read. */
export function nameOf(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The node `name` (one or more canonical segments) below `at`. @throws DmError 414. */
export function join(at: Path, name: string): Path {
  if (name === "") return at;
  const path = at === root ? `./${name}` : `${at}/${name}`;
  if (path.length > pathLimits.total) throw tooLong(`the address has ${path.length} characters`);
  return path as Path;
}

export function joinRel(at: Rel, name: string): Rel {
  return (at === "" ? name : `${at}/${name}`) as Rel;
}

/** The segments, root first; none for the root itself. */
export function segments(at: Path | Rel): string[] {
  if (at === "." || at === "") return [];
  return (at.startsWith("./") ? at.slice(2) : at).split("/");
}

/** The parent, or undefined at the root. */
export function parent(at: Path): Path | undefined {
  if (at === root) return undefined;
  const slash = at.lastIndexOf("/");
  return slash === 1 ? root : (at.slice(0, slash) as Path);
}

export function parentRel(at: Rel): Rel | undefined {
  if (at === "") return undefined;
  const slash = at.lastIndexOf("/");
  return (slash < 0 ? "" : at.slice(0, slash)) as Rel;
}

/** The last segment; "." for the root, "" for an MO's root. */
export function leafName(at: Path | Rel): string {
  return at.slice(at.lastIndexOf("/") + 1);
}

/** Is `at` the node `above`, or somewhere below it? */
export function within(at: Path, above: Path): boolean {
  return above === root || at === above || (at.startsWith(above) && at[above.length] === "/");
}

/** Address inside the MO that is mounted at `mount`. `at` must lie within it. */
export function relativeTo(at: Path, mount: Path): Rel {
  if (at === mount) return top;
  return at.slice(mount === root ? 2 : mount.length + 1) as Rel;
}
