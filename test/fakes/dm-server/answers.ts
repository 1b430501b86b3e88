import type { Command, Item, Message } from "../../../tree/wire/message.ts";

/** What the device answered to one command. */
export interface Outcome {
  readonly command: Command;
  /** The Status; of several (one for each item), the first that is not a success. 0: none came. */
  readonly status: number;
  readonly statuses: readonly { readonly status: number; readonly target?: string; readonly items: readonly Item[] }[];
  readonly results: readonly Result[];
  /** Of the commands inside Atomic or Sequence. */
  readonly inner: readonly Outcome[];
}

export interface Result {
  readonly uri: string;
  readonly format: string;
  readonly type: string;
  /** undefined: the item had no Data. Base64 where `format` is b64. */
  readonly data: string | undefined;
}

interface Awaited {
  readonly key: string;
  readonly position: number;
  readonly command: Command | undefined;
  readonly name: string;
  readonly statuses: { status: number; target?: string; items: readonly Item[] }[];
  readonly results: Result[];
}

interface Assembly {
  readonly key: string;
  readonly item: Item;
  text: string;
}

/**
 * Everything that the device still owes an answer for, and the answers as they come. `complain` hears of each answer that the standard
 * does not allow (Protocol 1.2.1, 2.3.5; RepPro 1.2.1, Status and Results).
 */
export class Answers {
  readonly #awaited = new Map<string, Awaited>();
  readonly #complain: (what: string) => void;
  #last = new Map<string, number>();
  #assembly: Assembly | undefined;

  constructor(complain: (what: string) => void) {
    this.#complain = complain;
  }

  /** A message of ours went out: the device owes a Status for its header and each of its commands. */
  expect(message: Message): void {
    const { msgId } = message.header;
    let position = 0;
    const await_ = (cmdId: string, name: string, command?: Command) => {
      const key = `${msgId}/${cmdId}`;
      this.#awaited.set(key, { key, position: position++, command, name, statuses: [], results: [] });
    };
    const each = (commands: readonly Command[]) => {
      for (const command of commands) {
        if (command.name === "Status" || command.name === "Results") continue;
        await_(command.cmdId, command.name, command);
        if ("commands" in command) each(command.commands);
      }
    };
    await_("0", "SyncHdr");
    each(message.commands);
  }

  /** The answers in a message of the device. Answers with the Status that we owe for each Results that came, by its CmdID. */
  hear(message: Message): Map<string, number> {
    const owed = new Map<string, number>();
    for (const command of message.commands) {
      if (command.name === "Status") this.#status(command);
      if (command.name === "Results") {
        const status = this.#results(command);
        if (status !== undefined) owed.set(command.cmdId, status);
      }
    }
    return owed;
  }

  /** Is the device in the middle of sending a large object? */
  get assembling(): boolean {
    return this.#assembly !== undefined;
  }

  statusOf(msgId: string, cmdId: string): number {
    return summary(this.#awaited.get(`${msgId}/${cmdId}`)?.statuses ?? []);
  }

  /** What was answered to this command of that message. */
  outcome(msgId: string, command: Command): Outcome {
    const awaited = this.#awaited.get(`${msgId}/${command.cmdId}`);
    const inner = "commands" in command ? command.commands.map((one) => this.outcome(msgId, one)) : [];
    const statuses = awaited?.statuses ?? [];
    return { command, status: summary(statuses), statuses, results: awaited?.results ?? [], inner };
  }

  /** The device's package is complete: nothing may be missing. Everything is forgotten then. */
  settle(): void {
    if (this.#assembly !== undefined) this.#complain("the package ended within a large object");
    for (const { statuses, results, name, key, command } of this.#awaited.values()) {
      if (statuses.length === 0) this.#complain(`no Status for ${name} (${key})`);
      const good = statuses.some(({ status }) => status === 200);
      if (command?.name === "Get" && good && results.length === 0) this.#complain(`Get ${key} is 200, without Results`);
    }
    this.forget();
  }

  forget(): void {
    this.#awaited.clear();
    this.#last = new Map();
    this.#assembly = undefined;
  }

  #status(status: Extract<Command, { name: "Status" }>): void {
    const awaited = this.#find(status.msgRef, status.cmdRef, "Status");
    if (awaited === undefined) return;
    if (status.cmd !== awaited.name)
      this.#complain(`the Status of ${awaited.key} calls ${awaited.name} "${status.cmd}"`);
    if (status.status < 200 || status.status > 599) this.#complain(`Status ${status.status} for ${awaited.key}`);
    const before = this.#last.get(status.msgRef) ?? -1;
    if (awaited.position < before) this.#complain(`the Status of ${awaited.name} ${awaited.key} comes out of order`);
    this.#last.set(status.msgRef, Math.max(before, awaited.position));
    const items = awaited.command !== undefined && "items" in awaited.command ? awaited.command.items.length : 1;
    if (awaited.statuses.length >= Math.max(1, items))
      this.#complain(`more Statuses than items for ${awaited.name} ${awaited.key}`);
    const target = status.targetRefs[0];
    awaited.statuses.push({
      status: status.status,
      items: status.items,
      ...(target === undefined ? {} : { target }),
    });
  }

  #results(results: Extract<Command, { name: "Results" }>): number | undefined {
    const awaited = this.#find(results.msgRef, results.cmdRef, "Results");
    if (awaited === undefined) return undefined;
    if (awaited.statuses.length === 0) this.#complain(`Results of ${awaited.key} come before its Status`);
    if (awaited.name !== "Get") this.#complain(`Results for ${awaited.name} ${awaited.key}`);
    if (results.items.length === 0) this.#complain(`Results of ${awaited.key} without an Item`);
    let owed: number | undefined;
    for (const item of results.items) {
      if (item.source === undefined) this.#complain(`Results of ${awaited.key}: an Item without Source`);
      owed = this.#item(awaited, item) ?? owed;
    }
    return owed;
  }

  #item(awaited: Awaited, item: Item): number | undefined {
    const text = item.data === undefined ? undefined : String(item.data);
    const assembly = this.#assembly;
    if (assembly === undefined && !item.moreData) {
      awaited.results.push(resultOf(item, text));
      return undefined;
    }
    if (assembly === undefined) {
      if (item.meta.size === undefined) this.#complain(`the first chunk of ${awaited.key} does not tell its Size`);
      this.#assembly = { key: awaited.key, item, text: text ?? "" };
      return 213;
    }
    if (assembly.key !== awaited.key || assembly.item.source?.uri !== item.source?.uri)
      this.#complain(`Results of ${awaited.key} come between the chunks of ${assembly.key}`);
    if (item.meta.size !== undefined) this.#complain(`a later chunk of ${awaited.key} tells a Size`);
    assembly.text += text ?? "";
    if (item.moreData) return 213;
    this.#assembly = undefined;
    awaited.results.push(resultOf(assembly.item, assembly.text));
    const size = Buffer.byteLength(assembly.text);
    if (size === assembly.item.meta.size) return undefined;
    this.#complain(`the chunks of ${awaited.key} are ${size} octets, announced were ${assembly.item.meta.size}`);
    return 424;
  }

  #find(msgRef: string, cmdRef: string, what: string): Awaited | undefined {
    const awaited = this.#awaited.get(`${msgRef}/${cmdRef}`);
    if (awaited === undefined) this.#complain(`${what} for ${msgRef}/${cmdRef}, which we do not wait for`);
    return awaited;
  }
}

function resultOf(item: Item, data: string | undefined): Result {
  const { format = "chr", type = "text/plain" } = item.meta;
  return { uri: item.source?.uri ?? "", format, type, data };
}

function summary(statuses: readonly { readonly status: number }[]): number {
  return (statuses.find(({ status }) => status >= 300) ?? statuses[0])?.status ?? 0;
}
