import { server } from "../../tree/acl.ts";
import { ProtocolError, Status } from "../../tree/errors.ts";
import type { Call } from "../../tree/mo.ts";
import type { Command, Header, Message } from "../../tree/wire/message.ts";
import { sizeOfEmpty } from "../../tree/wire/syncml-write.ts";
import { alertCodes } from "./commands/alert.ts";
import { execute } from "./commands/index.ts";
import type { Verdict } from "./credentials.ts";
import { OurProof, ServerProof } from "./credentials.ts";
import { Deliveries } from "./deliveries.ts";
import type { Execution } from "./execution.ts";
import { asksForMore, commandsOf, headerStatus, isAbort, nextUrl, silent, versionFault } from "./incoming.ts";
import { Outgoing } from "./outgoing.ts";
import type { Packed } from "./outgoing.ts";
import { packageOne } from "./package-one.ts";
import type { Draft } from "./replies.ts";
import { refusals, replies } from "./replies.ts";
import type { SessionEnd, SessionOptions } from "./session-terms.ts";

/** Messages of the server in one session. More is a loop. */
const maxMessages = 10_000;
/** "Next message" in a row with nothing to send. */
const maxIdle = 5;
/** Messages that we could not even look into. */
const maxRefusals = 3;
/** Octets that no message of ours exceeds, whatever the server takes. */
const largestMessage = 1_048_576;
/** Octets of Results that one command may collect. */
const maxResults = 4_194_304;

/**
 * One DM 1.2 conversation in the client's role (OMA-TS-DM_Protocol 1.2.1), without I/O: messages in, messages out. The caller carries them to
 * {@link url} and back. Whatever happens, `end` says how it ended.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #out = new Outgoing();
  readonly #ours: OurProof;
  readonly #server: ServerProof;
  readonly #deliveries = new Deliveries();
  readonly #chunked = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #secure: boolean;
  #url: string;
  #peerSize: number;
  #msgId = 0;
  #last: Packed | undefined;
  #lastFrom = "";
  #repeats = 0;
  #idle = 0;
  #refusals = 0;
  /** The server has ended its package: ours may end too. */
  #closed = true;
  #end: SessionEnd | undefined;

  constructor(options: SessionOptions) {
    const { account, nonces } = options;
    this.#options = options;
    this.#url = account.url;
    this.#secure = account.url.startsWith("https:");
    // Until the server says how much it takes, it is sent no more than we take ourselves.
    this.#peerSize = options.maxMsgSize;
    this.#ours = new OurProof(account.client, nonces.client, this.#secure || account.insecure);
    const byTransport = account.server === undefined || account.server.type === "transport";
    this.#server = new ServerProof(
      account.server,
      nonces.server,
      byTransport && this.#secure && account.tls.ca !== undefined,
    );
  }

  /** Where the next message goes: the account's address, or what the server asked for with RespURI. */
  get url(): string {
    return this.#url;
  }

  /** undefined while the session runs. */
  get end(): SessionEnd | undefined {
    return this.#end;
  }

  /** The first message. @throws DmError when ./DevInfo cannot be read. */
  async open(): Promise<Message> {
    const { tree, log, reason, alerts } = this.#options;
    this.#out.add(
      packageOne({
        tree,
        log,
        reason: reason.code,
        alerts,
        room: () => this.#room(),
        asServer: (work) => this.#limited(work, "alert"),
        drop: (id) => this.#deliveries.drop(id),
      }),
    );
    return this.#send([]);
  }

  /**
   * Takes a message of the server and gives the next of ours; undefined: the session has ended.
   * @param octets its size as it travelled, held against the size that we announced.
   */
  async receive(message: Message, octets: number): Promise<Message | undefined> {
    if (this.#end !== undefined) return undefined;
    try {
      return await this.#receive(message, octets);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.fail(error.message);
      return undefined;
    }
  }

  /** Ends the session; the message says so to the server, which need not be heard any more (Alert 1223). */
  async abort(reason: string): Promise<Message | undefined> {
    if (this.#end !== undefined) return undefined;
    this.fail(reason);
    const last = new Outgoing();
    const alert: Command = { name: "Alert", cmdId: "", code: alertCodes.abort, items: [] };
    this.#msgId++;
    return (await last.pack(this.#header(), [alert], this.#peerSize, true)).message;
  }

  /** The line is down, or the server speaks nonsense: ends the session without a word. */
  fail(reason: string): void {
    this.#finish(reason);
  }

  async #receive(message: Message, octets: number): Promise<Message | undefined> {
    const { header } = message;
    if (header.sessionId.toUpperCase() !== this.#options.reason.sessionId.toUpperCase())
      throw new ProtocolError(`the answer belongs to session ${header.sessionId.slice(0, 20)}`);
    if (header.msgId === this.#lastFrom && this.#last !== undefined) return this.#repeat(this.#last);
    if (this.#seen.has(header.msgId)) throw new ProtocolError(`MsgID ${header.msgId.slice(0, 20)} came before`);
    if (this.#seen.size >= maxMessages) return this.abort("the session does not come to an end");
    this.#seen.add(header.msgId);
    this.#lastFrom = header.msgId;
    this.#repeats = 0;

    this.#url = nextUrl(this.#url, header.respUri);
    if (header.maxMsgSize !== undefined && header.maxMsgSize > 0)
      this.#peerSize = Math.min(header.maxMsgSize, largestMessage);
    const fault = versionFault(header) ?? (octets > this.#options.maxMsgSize ? Status.tooLarge : undefined);
    if (fault !== undefined) return this.#refuse(message, { status: fault });

    const verdict = this.#server.check(header.cred);
    const again = this.#hear(message);
    if (this.#server.authenticated) return this.#answer(message, verdict, this.#run(message));
    const commands = commandsOf(message);
    if (commands.some(isAbort)) throw new ProtocolError("the server ended the session (Alert 1223)");
    if (!again && commands.length === 0) return this.#finish();
    if (this.#server.exhausted) throw new ProtocolError("the server did not prove itself");
    const challenge = this.#server.challenge(verdict);
    if (!again) return this.#refuse(message, challenge);
    return this.#answer(message, challenge, refusals(message, challenge.status, largestMessage));
  }

  /** Reads the server's Statuses. true: it asks for credentials, and the last message has to go again. */
  #hear(message: Message): boolean {
    let again = false;
    for (const status of message.commands) {
      if (status.name !== "Status") continue;
      if (status.cmdRef === "0") again = this.#ours.heard(status.status, status.chal);
      else this.#deliveries.answered(status.msgRef, status.cmdRef, status.status);
    }
    if (again && this.#last !== undefined) this.#out.again(this.#last.drafts.map((one) => one.draft));
    return again;
  }

  /** The next message of ours, with the answers that `source` gives; none when there is nothing left to say. */
  async #answer(message: Message, verdict: Verdict, source: AsyncGenerator<Draft>): Promise<Message | undefined> {
    const commands = commandsOf(message);
    // Between two messages of our own package the server's stays ended (Protocol 1.2.1, 2.1.1).
    if (message.final) this.#closed = true;
    else if (this.#last?.message.final === true && commands.length > 0) this.#closed = false;
    this.#out.add(source);
    const waiting = await this.#out.waiting();
    if (this.#end !== undefined) return undefined;
    if (!waiting && this.#closed) return this.#finish();
    const reply = await this.#send(silent(message) ? [] : [headerStatus(message, verdict)]);
    if (!silent(message)) this.#server.sent(verdict);
    // An abort may have stood further down in the message: what came after it did not run.
    if (this.#end !== undefined) return undefined;
    const empty = commands.every(asksForMore) && (this.#last?.drafts.length ?? 0) <= commands.length;
    this.#idle = empty ? this.#idle + 1 : 0;
    return this.#idle > maxIdle ? this.abort("the server asks for more, and there is no more") : reply;
  }

  /** Nothing of the message is done, and the server hears why: Statuses only (Protocol 1.2.1, 2.4.1). What we had to say waits. */
  async #refuse(message: Message, verdict: Verdict): Promise<Message | undefined> {
    if (++this.#refusals > maxRefusals) return this.abort("the server sends nothing that can be answered");
    const only = new Outgoing();
    only.add(refusals(message, verdict.status, largestMessage));
    this.#msgId++;
    const first = silent(message) ? [] : [headerStatus(message, verdict)];
    const packed = await only.pack(this.#header(), first, this.#peerSize, true);
    const final = this.#closed && !(await this.#out.waiting());
    return this.#keep({ ...packed, message: { ...packed.message, final } });
  }

  /** Runs the commands of a message, each when the answers to the one before have found their place. */
  async *#run(message: Message): AsyncGenerator<Draft> {
    const { msgId } = message.header;
    for (const command of commandsOf(message)) {
      if (isAbort(command)) return this.fail("the server ended the session (Alert 1223)");
      const answers = await this.#limited(
        (call) => execute(command, this.#execution(call)),
        `${msgId}/${command.cmdId}`,
      );
      for (const answer of answers) yield* replies(answer, msgId, silent(message), this.#room());
    }
  }

  #execution(call: Call): Execution {
    const { tree, log } = this.#options;
    const execution: Execution = {
      tree,
      log,
      call,
      chunked: this.#chunked,
      results: { left: maxResults },
      execute: (inner) => execute(inner, execution),
    };
    return execution;
  }

  async #limited<T>(work: (call: Call) => Promise<T>, name: string): Promise<T> {
    const { account, timeLimit, reason } = this.#options;
    const limit = timeLimit();
    try {
      return await work({
        by: server(account.id),
        signal: limit.signal,
        correlator: `${account.id}/${reason.sessionId}/${name}`,
        mayDefer: true,
      });
    } finally {
      limit.clear();
    }
  }

  async #send(first: readonly Command[]): Promise<Message> {
    this.#msgId++;
    const more: Command = { name: "Alert", cmdId: "", code: alertCodes.nextMessage, items: [] };
    return this.#keep(await this.#out.pack(this.#header(), first, this.#peerSize, this.#closed ? true : more));
  }

  #keep(packed: Packed): Message {
    this.#last = packed;
    this.#deliveries.sent(packed);
    return packed.message;
  }

  /** The transport lost our answer and the server says its message again: so do we. */
  #repeat({ message }: Packed): Promise<Message | undefined> | Message {
    return ++this.#repeats > maxIdle ? this.abort("the server repeats itself") : message;
  }

  #header(): Header {
    const { account, gatewayId, reason, maxMsgSize } = this.#options;
    const name = this.#ours.name;
    const cred = this.#ours.cred();
    return {
      verDtd: "1.2",
      verProto: account.version === "1.3" ? "DM/1.3" : "DM/1.2",
      sessionId: reason.sessionId,
      msgId: String(this.#msgId),
      target: { uri: account.url },
      source: { uri: gatewayId, ...(name === undefined ? {} : { name }) },
      ...(cred === undefined ? {} : { cred }),
      maxMsgSize,
    };
  }

  /** Octets for one command in a message that holds nothing else but the Status for the header. */
  #room(): number {
    const { account, gatewayId } = this.#options;
    return this.#peerSize - sizeOfEmpty(this.#header()) - 512 - account.url.length - gatewayId.length;
  }

  #finish(error?: string): undefined {
    if (this.#end !== undefined) return;
    const { alerts } = this.#options;
    // Over TLS it can only have been the server that answered; over plain http only its Cred says so.
    const trusted = this.#server.authenticated || this.#secure;
    const unproven = !trusted && alerts.length > 0 ? "the server did not prove itself" : undefined;
    const reason = error ?? unproven;
    const client = trusted ? this.#ours.next : undefined;
    const next = this.#server.next;
    this.#end = {
      ok: reason === undefined,
      ...(reason === undefined ? {} : { error: reason }),
      ...this.#deliveries.result(trusted),
      nonces: { ...(client === undefined ? {} : { client }), ...(next === undefined ? {} : { server: next }) },
    };
  }
}
