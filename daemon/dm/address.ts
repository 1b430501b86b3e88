import { DmError, Status } from "../../tree/errors.ts";
import { parsePath } from "../../tree/path.ts";
import type { Path } from "../../tree/path.ts";
import { properties } from "../../tree/shape.ts";
import type { Property } from "../../tree/shape.ts";
import type { Address as WireAddress } from "../../tree/wire/message.ts";

/** What a LocURI names: a node, or one property of it (DM TND 1.2.1, addressing). */
export interface Address {
  readonly at: Path;
  readonly property: Property | undefined;
}

/**
 * Reads the LocURI of an item.
 * @throws DmError 412 when there is none, 406 for a property or a list that is not supported, 400 and 414 as parsePath does.
 */
export function readAddress(address: WireAddress | undefined): Address {
  if (address === undefined || address.uri === "") throw new DmError(Status.incomplete, "the item has no address");
  const mark = address.uri.indexOf("?");
  if (mark < 0) return { at: parsePath(address.uri), property: undefined };
  const query = address.uri.slice(mark + 1);
  const property = properties.find((name) => query === `prop=${name}`);
  if (property === undefined)
    throw new DmError(
      Status.notSupported,
      `"?${query.slice(0, 40)}" is not supported; properties are ${properties.join(" ")}`,
    );
  return { at: parsePath(address.uri.slice(0, mark)), property };
}

/** @throws DmError 405 for a property: only Get and Replace know them (DM TND 1.2.1, operations on properties). */
export function readNode(address: WireAddress | undefined): Path {
  const { at, property } = readAddress(address);
  if (property !== undefined)
    throw new DmError(Status.notAllowed, `properties take Get and Replace only; asked for ${property}`);
  return at;
}
