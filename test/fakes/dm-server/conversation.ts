import type { Command, Header, Message } from "../../../tree/wire/message.ts";
import { sizeOfCommand, sizeOfEmpty } from "../../../tree/wire/syncml-write.ts";
import { Answers } from "./answers.ts";
import type { Outcome } from "./answers.ts";
import { alert, numbered } from "./asks.ts";
import type { Ask } from "./asks.ts";
import { chunksOf } from "./chunks.ts";
import { faultsOf } from "./conformance.ts";
import type { Received } from "./conformance.ts";
import type { Behaviour } from "./faults.ts";
import { Proofs } from "./proofs.ts";
import type { Account, AuthKind, Nonces, Verdict } from "./proofs.ts";
import { headerStatus, isAlert, statusesFor } from "./statuses.ts";
import { commandLines, outcomeLines, receivedLines, statusText } from "./story.ts";

/** Commands for one package, and whoever waits for what becomes of them. */
export interface Step {
  readonly asks: readonly Ask[];
  answered(outcomes: readonly Outcome[]): void;
  failed(reason: string): void;
}

export interface Terms {
  readonly auth: AuthKind;
  readonly client: Account;
  readonly server: Account;
  readonly nonces: Nonces;
  /** Source of our messages. */
  readonly url: string;
  readonly respUri: string | undefined;
  readonly maxMsgSize: number | undefined;
  readonly behaviour: Behaviour;
  /** What to ask next; undefined: nothing (more) now. */
  next(): Step | undefined;
  /** It was not done, and is to be asked first of all next time. */
  putBack(step: Step): void;
  heardAlert(command: Extract<Command, { name: "Alert" }>): void;
  tell(line: string): void;
  complain(what: string): void;
}

interface Asking {
  readonly step: Step;
  left: readonly Ask[];
  sent: { readonly msgId: string; readonly ask: Ask; readonly command: Command }[];
  readonly outcomes: Outcome[];
}

/** One session in the server's role (DM Protocol 1.2.1): each message of the device gets an answer. */
export class Conversation {
  readonly #terms: Terms;
  readonly #proofs: Proofs;
  readonly #answers: Answers;
  #asking: Asking | undefined;
  #chunks: Ask[] = [];
  /** What the chunks are of. */
  #large: Ask | undefined;
  #before: Message | undefined;
  #ours: (Message & { readonly lost?: true }) | undefined;
  #peerSize = Infinity;
  #packageOne = true;
  #over = false;
  /** How it ended; undefined while it runs. */
  end: { readonly ok: boolean; readonly why: string } | undefined;

  constructor(terms: Terms) {
    this.#terms = terms;
    this.#proofs = new Proofs(terms.auth, terms.client, terms.nonces);
    this.#answers = new Answers((what) => terms.complain(what));
  }

  /** Our last message did not get through. */
  get unheard(): boolean {
    return this.#ours?.lost === true;
  }

  receive(received: Received): Message {
    const { message } = received;
    const { behaviour } = this.#terms;
    this.#check(received);
    this.#peerSize = message.header.maxMsgSize ?? this.#peerSize;
    const verdict = this.#proofs.judge(message.header.cred, behaviour.refuse);
    for (const line of receivedLines(received, this.#packageOne ? 1 : 3, verdict.status)) this.#terms.tell(line);
    this.#before = message;
    if (verdict.status >= 400) return this.#refuse(message, verdict);
    this.#packageOne = message.final ? false : this.#packageOne;
    if (this.#doubted(message)) return this.#again(message, verdict);
    const statuses = [
      headerStatus(message, verdict),
      ...statusesFor(message, this.#answers.hear(message), behaviour.alertStatus ?? 200),
    ];
    for (const command of message.commands) if (command.name === "Alert") this.#terms.heardAlert(command);
    if (message.commands.some((command) => isAlert(command, 1223))) {
      this.#finish(false, "the device aborted the session");
      return this.#send(message.header, statuses, [], true);
    }
    if (behaviour.abortAt !== undefined && Number(message.header.msgId) >= behaviour.abortAt) {
      this.#finish(false, "the server aborted the session");
      return this.#send(message.header, statuses, [alert(1223)], true);
    }
    return this.#goOn(message, statuses);
  }

  /** The device will not see our last message: it owes no answer to it, and may say its own again. */
  lost(): void {
    this.#takeBack();
    this.#ours = this.#ours && { ...this.#ours, commands: [], lost: true };
    this.#over = false;
  }

  /** The session will not go on. What was asked and not answered fails. */
  abandon(why: string): void {
    if (this.end === undefined) this.#finish(false, why);
  }

  #goOn(message: Message, statuses: Command[]): Message {
    const { header } = message;
    if (this.#terms.behaviour.neverFinal === true) return this.#send(header, statuses, [alert(1222)], false);
    const chunk = this.#nextChunk(message);
    if (chunk === undefined) this.#large = undefined;
    if (chunk !== undefined) return this.#send(header, statuses, [chunk], this.#chunks.length === 0);
    // "Next message" (Protocol 1.2.1, 2.1): the device has more to say first.
    if (!message.final && (this.#ours?.final !== false || this.#ours.commands.some((one) => isAlert(one, 1222))))
      return this.#send(header, statuses, [alert(1222)], false);
    this.#settle();
    const asks = this.#nextAsks(header, statuses);
    if (asks.length === 0) this.#finish(true, "nothing more to ask");
    return this.#send(header, statuses, asks, this.#chunks.length === 0);
  }

  #check(received: Received): void {
    const { maxMsgSize, respUri, url, auth } = this.#terms;
    if (this.#over) this.#terms.complain("the device goes on after we had nothing more to ask");
    const before = this.#before;
    const expected = {
      packageOne: this.#packageOne && (before === undefined || before.final),
      before,
      ours: this.#ours?.lost === true ? undefined : this.#ours,
      maxMsgSize,
      url: before === undefined || respUri === undefined ? url : new URL(respUri, url).href,
      digest: auth === "digest",
    };
    for (const fault of faultsOf(received, expected)) this.#terms.complain(fault);
  }

  /** Our last message was refused, for want of credentials that the device believes. */
  #doubted(message: Message): boolean {
    const status = message.commands.find((one) => one.name === "Status" && one.cmdRef === "0");
    if (status?.name !== "Status" || this.#ours === undefined) return false;
    return this.#proofs.heard(status.status, status.chal) === "again";
  }

  /** The device is not who it should be: Statuses only, all the same, and a challenge (Protocol 1.2.1, 2.4). */
  #refuse(message: Message, verdict: Verdict): Message {
    this.#takeBack();
    this.#packageOne = true;
    if (this.#proofs.hopeless) this.#finish(false, "the device cannot prove itself");
    const own = message.commands.filter((one) => one.name !== "Status" && one.name !== "Results");
    const statuses = statusesFor({ ...message, commands: own }, new Map(), verdict.status, verdict.status);
    return this.#send(message.header, [headerStatus(message, verdict), ...statuses], [], true);
  }

  /** The device did nothing of what we asked, until we prove ourselves: the same again. */
  #again(message: Message, verdict: Verdict): Message {
    this.#takeBack();
    const statuses = [headerStatus(message, verdict), ...statusesFor(message, new Map(), 200)];
    if (this.#proofs.refused) {
      this.#finish(false, "the device does not believe us");
      return this.#send(message.header, statuses, [], true);
    }
    return this.#send(message.header, statuses, this.#nextAsks(message.header, statuses), this.#chunks.length === 0);
  }

  #takeBack(): void {
    this.#answers.forget();
    this.#chunks = [];
    this.#large = undefined;
    const asking = this.#asking;
    this.#asking = undefined;
    if (asking !== undefined)
      this.#terms.putBack({ ...asking.step, asks: [...asking.sent.map((one) => one.ask), ...asking.left] });
  }

  /** The next piece of a large object that we are sending; what is left of it is dropped when the device refuses one. */
  #nextChunk(message: Message): Ask | undefined {
    const last = this.#asking?.sent.at(-1);
    if (this.#chunks.length === 0 || last === undefined) return undefined;
    const status = this.#answers.statusOf(last.msgId, last.command.cmdId);
    if (message.final) this.#terms.complain("Final, though our package has not ended");
    if (status === 213 && !message.commands.some((command) => isAlert(command, 1222)))
      this.#terms.complain("a chunk was taken without asking for the next one (Alert 1222)");
    // What the device answers to a piece is not yet what becomes of the whole.
    if (status === 213) this.#asking?.sent.pop();
    else this.#chunks = [];
    return this.#chunks.shift();
  }

  /** The device's package is complete: what was asked is answered. */
  #settle(): void {
    const asking = this.#asking;
    for (const { msgId, ask, command } of asking?.sent ?? []) {
      const outcome = { ...this.#answers.outcome(msgId, command), command: ask };
      asking?.outcomes.push(outcome);
      for (const line of outcomeLines(outcome)) this.#terms.tell(`    ${line}`);
    }
    this.#answers.settle();
    if (asking === undefined) return;
    asking.sent = [];
    if (asking.left.length > 0) return;
    this.#asking = undefined;
    asking.step.answered(asking.outcomes);
  }

  /** As much of the next step as one message holds. */
  #nextAsks(header: Header, statuses: readonly Command[]): Ask[] {
    if (!this.#proofs.proven) return [];
    if (this.#asking === undefined) {
      const step = this.#terms.next();
      if (step === undefined) return [];
      this.#asking = { step, left: step.asks, sent: [], outcomes: [] };
    }
    let room = this.#peerSize - sizeOfEmpty(this.#header(header));
    for (const status of statuses) room -= sizeOfCommand({ ...status, cmdId: "00000" });
    const asking = this.#asking;
    const asks: Ask[] = [];
    for (const ask of asking.left) {
      const size = sizeOfCommand(numbered(ask, () => "00000"));
      if (size > room) break;
      room -= size;
      asks.push(ask);
    }
    asking.left = asking.left.slice(asks.length);
    const [large] = asking.left;
    if (asks.length > 0 || large === undefined) return asks;
    this.#chunks = chunksOf(large, room) ?? [];
    const first = this.#chunks.shift();
    asking.left = asking.left.slice(1);
    this.#large = first && large;
    if (first !== undefined) return [first];
    this.#asking = undefined;
    asking.step.failed(`${large.name} does not fit into the ${this.#peerSize} octets that the device takes`);
    return this.#nextAsks(header, statuses);
  }

  #send(header: Header, statuses: readonly Command[], asks: readonly Ask[], final: boolean): Message {
    let cmdId = 0;
    const nextId = () => String(++cmdId);
    const answers = statuses.map((one) => numbered(one, nextId));
    const commands = asks.map((one) => numbered(one, nextId));
    const message = { header: this.#header(header), commands: [...answers, ...commands], final };
    if (this.end === undefined) this.#answers.expect(message);
    const { msgId } = message.header;
    for (const [at, command] of commands.entries())
      if (!isAlert(command, 1222)) this.#asking?.sent.push({ msgId, ask: this.#large ?? asks[at] ?? command, command });
    this.#ours = message;
    const first = message.header.msgId === "1";
    this.#terms.tell(`  server, package ${first ? 2 : 4}${final ? "" : " (to be continued)"}:`);
    for (const status of statuses.slice(0, 1))
      this.#terms.tell(`    ${status.name === "Status" ? statusText(status.status) : ""}`);
    for (const line of commands.flatMap(commandLines)) this.#terms.tell(`    asks: ${line}`);
    if (this.end !== undefined) this.#terms.tell(`  the session is over: ${this.end.why}`);
    return message;
  }

  #header(theirs: Header): Header {
    const { server, url, behaviour, respUri, maxMsgSize, nonces, auth } = this.#terms;
    const secret = behaviour.credentials === "wrong" ? `not ${server.secret}` : server.secret;
    const nonce = behaviour.nonce === "wrong" ? Buffer.from("not this one") : nonces.server;
    const cred = behaviour.credentials === "none" ? undefined : this.#proofs.show({ name: server.name, secret }, nonce);
    return {
      verDtd: behaviour.version?.dtd ?? "1.2",
      verProto: behaviour.version?.proto ?? theirs.verProto,
      sessionId: theirs.sessionId,
      msgId: String(Number(this.#ours?.header.msgId ?? 0) + 1),
      target: { uri: theirs.source.uri },
      source: auth === "digest" ? { uri: url, name: server.name } : { uri: url },
      ...(respUri === undefined ? {} : { respUri }),
      ...(cred === undefined ? {} : { cred }),
      ...(maxMsgSize === undefined ? {} : { maxMsgSize }),
    };
  }

  #finish(ok: boolean, why: string): void {
    this.#over = true;
    this.end = { ok, why };
    const asking = this.#asking;
    this.#asking = undefined;
    this.#chunks = [];
    asking?.step.failed(why);
  }
}
