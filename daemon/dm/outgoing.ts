import type { Command, Header, Message } from "../../tree/wire/message.ts";
import { sizeOfCommand, sizeOfEmpty } from "../../tree/wire/syncml-write.ts";
import type { Draft } from "./replies.ts";

/** One message as it was put together. */
export interface Packed {
  readonly message: Message;
  /** What of the package it carries, with the CmdIDs it got. */
  readonly drafts: readonly { readonly draft: Draft; readonly cmdId: string }[];
}

/**
 * What we have to say, cut into messages that the peer can take. The sources are asked only for as much as the next message holds, so that a
 * command is run when its answer can travel, and no package stands in memory as a whole.
 */
export class Outgoing {
  readonly #sources: AsyncGenerator<Draft>[] = [];
  readonly #ready: Draft[] = [];

  add(source: AsyncGenerator<Draft>): void {
    this.#sources.push(source);
  }

  /** These come first, before whatever else waits. */
  again(drafts: readonly Draft[]): void {
    this.#ready.unshift(...drafts);
  }

  /** Is there anything left to say? Reads ahead by one. */
  async waiting(): Promise<boolean> {
    const next = await this.#next();
    if (next === undefined) return false;
    this.#ready.unshift(next);
    return true;
  }

  /**
   * The next message: `first`, then as much as fits in `size` octets.
   * @param closing what to add when everything is said: Final (true), or a command that asks for the peer's next message.
   */
  async pack(header: Header, first: readonly Command[], size: number, closing: true | Command): Promise<Packed> {
    const commands: Command[] = [];
    const drafts: { draft: Draft; cmdId: string }[] = [];
    let room = size - sizeOfEmpty(header);
    const put = (command: Command): string => {
      const cmdId = String(commands.length + 1);
      const numbered = { ...command, cmdId };
      commands.push(numbered);
      room -= sizeOfCommand(numbered);
      return cmdId;
    };
    for (const command of first) put(command);
    const reserve = closing === true ? 0 : sizeOfCommand({ ...closing, cmdId: "0000" });
    for (let draft = await this.#next(); draft !== undefined; draft = await this.#next()) {
      const needs = sizeOfCommand({ ...draft.command, cmdId: String(commands.length + 1) });
      // What fits no message at all is sent alone: the peer may take more than it says.
      if (needs > room - reserve && drafts.length > 0) {
        this.#ready.unshift(draft);
        return { message: { header, commands, final: false }, drafts };
      }
      drafts.push({ draft, cmdId: put(draft.command) });
    }
    if (closing !== true) put(closing);
    return { message: { header, commands, final: closing === true }, drafts };
  }

  async #next(): Promise<Draft | undefined> {
    const ready = this.#ready.shift();
    if (ready !== undefined) return ready;
    for (let source = this.#sources[0]; source !== undefined; source = this.#sources[0]) {
      const next: IteratorResult<Draft, unknown> = await source.next();
      if (next.done !== true) return next.value;
      this.#sources.shift();
    }
    return undefined;
  }
}
