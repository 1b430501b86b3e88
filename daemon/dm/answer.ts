import type { Command, Item } from "../../tree/wire/message.ts";

/** What became of one item of a command. */
export interface ItemAnswer {
  readonly status: number;
  /** LocURIs of the item, as the server wrote them. */
  readonly target?: string;
  readonly source?: string;
  /** Items that the Status itself carries: the node that really failed, what an Exec gave back. */
  readonly about?: readonly Item[];
  /** An item for Results. */
  readonly result?: Item;
}

/** What became of one command: an answer for each item, or one for the whole. */
export interface Answer {
  readonly command: Command;
  readonly items: readonly ItemAnswer[];
}

/** The same status for a command as a whole. */
export function whole(command: Command, status: number): Answer {
  return { command, items: [{ status }] };
}

/** The same status for a command and for everything inside it: refused, bypassed or never run together. */
export function throughout(command: Command, status: number): Answer[] {
  const inside = command.name === "Atomic" || command.name === "Sequence" ? command.commands : [];
  return [whole(command, status), ...inside.flatMap((one) => throughout(one, status))];
}
