import { isServerId, local, parseAcl, formatAcl, withServer, withoutServer } from "../tree/acl.ts";
import type { Acl, AclVerb } from "../tree/acl.ts";
import { DmError, Status } from "../tree/errors.ts";
import type { Call } from "../tree/mo.ts";
import type { DmAccount } from "../tree/mos/dm-acc.ts";
import { dmAcc } from "../tree/mos/dm-acc.ts";
import { join, parsePath, within } from "../tree/path.ts";
import type { Path, Rel } from "../tree/path.ts";
import { bucket } from "../tree/ports.ts";
import type { Bucket, FilledBatch, Log, Store } from "../tree/ports.ts";
import { StoredNodes } from "../tree/stored-nodes.ts";
import type { Tree } from "../tree/tree.ts";
import type { TreeChange } from "../tree/shape.ts";
import { sameValue } from "../tree/value.ts";
import type { NewServer } from "./gateway.ts";
import { accountOfNodes, leavesOf, newAccount } from "./account-nodes.ts";
import type { ServerAccount } from "./upstream/account.ts";

const accountsAt = parsePath("./DMAcc");
/** Where a server that may manage devices gets its starting rights. */
const deviceAreas = [parsePath("./Devices"), parsePath("./GwMO/DeviceInventory")] as const;
const manageVerbs: readonly AclVerb[] = ["Add", "Delete", "Exec", "Get", "Replace"];
/** Stands in an ACL that lets no server in: an empty ACL would inherit. No account can have this id. */
const nobody = "local";

/** What is remembered of an account besides its nodes. */
interface Remembered {
  readonly owner: "file" | "runtime";
  /** The starting rights that were given; later changes of the ACLs are the operator's. */
  readonly devices: "manage" | "none";
}

/**
 * The accounts of the DM servers. Their nodes below ./DMAcc are the truth, whoever wrote them: the config file, the CLI, or a DM server. What has no node in
 * the standard (TLS, reports, polling) comes from the file, or from Ext.
 */
export class Accounts {
  readonly #tree: Tree;
  readonly #log: Log;
  readonly #stored: StoredNodes;
  readonly #read: () => DmAccount[];
  readonly #remembered: Bucket<Remembered>;
  readonly #listeners = new Set<(accounts: readonly ServerAccount[]) => void>();
  readonly #forgetters = new Set<(id: string, batch: FilledBatch) => void>();
  #file = new Map<string, ServerAccount>();
  #known = new Set<string>();
  #told = false;

  constructor(ports: { readonly tree: Tree; readonly store: Store; readonly log: Log }) {
    this.#tree = ports.tree;
    this.#log = ports.log;
    this.#stored = new StoredNodes(ports.store, "dmacc");
    this.#remembered = bucket(ports.store, "accounts");
    const { mo, accounts } = dmAcc(this.#stored);
    this.#read = accounts;
    this.#tree.mount(accountsAt, mo);
    this.#known = new Set(this.#ids());
    this.#tree.watch((changes, batch) => {
      if (changes.some((change) => within(change.at, accountsAt))) this.#changed(batch);
    });
  }

  list(): readonly ServerAccount[] {
    return this.#read().flatMap((nodes) => {
      const account = accountOfNodes(nodes, nodes.serverId === undefined ? undefined : this.#file.get(nodes.serverId));
      return account === undefined ? [] : [account];
    });
  }

  /** Told after each change of the accounts, once a turn. */
  watch(listener: (accounts: readonly ServerAccount[]) => void): void {
    this.#listeners.add(listener);
  }

  /** Told when an account is gone, to forget what hangs on it in the same commit. */
  onForget(forget: (id: string, batch: FilledBatch) => void): void {
    this.#forgetters.add(forget);
  }

  /**
   * Sets the accounts of the config file to what the file says, and takes out those that it does not name any more. Accounts made at run time are not
   * touched. @throws DmError 420, 510 when the store fails
   */
  async sync(file: readonly ServerAccount[]): Promise<void> {
    const wanted = new Map(file.map((account) => [account.id, account]));
    for (const [id, { owner }] of [...this.#remembered.entries()]) {
      if (owner === "file" && !wanted.has(id)) await this.#drop(id);
    }
    this.#file = wanted;
    await this.#closeAreas();
    for (const account of file) await this.#write(account, "file");
    this.#tellLater();
  }

  /** @throws DmError 400, 418 */
  async add(server: NewServer): Promise<ServerAccount> {
    if (!isServerId(server.id) || server.id === nobody)
      throw new DmError(Status.badRequest, `"${server.id}" cannot be a server id`);
    if (this.#nodeOf(server.id) !== undefined)
      throw new DmError(Status.alreadyExists, `there is an account of ${server.id} already`);
    const account = newAccount(server);
    if (account.refused !== undefined) throw new DmError(Status.badRequest, account.refused);
    await this.#write(account, "runtime");
    return account;
  }

  /** @throws DmError 404, 405 when the config file owns it */
  async remove(id: string): Promise<void> {
    if (this.#nodeOf(id) === undefined) throw new DmError(Status.notFound, `there is no account of ${id}`);
    if (this.#file.has(id))
      throw new DmError(Status.notAllowed, `the account of ${id} stands in the config file: take it out there`);
    await this.#drop(id);
  }

  #ids(): string[] {
    return this.#read().flatMap((account) => account.serverId ?? []);
  }

  #nodeOf(id: string): string | undefined {
    return this.#read().find((account) => account.serverId === id)?.node;
  }

  #freeNode(): string {
    for (let n = 1; ; n++) if (this.#stored.get(String(n) as Rel) === undefined) return String(n);
  }

  async #drop(id: string): Promise<void> {
    this.#file.delete(id);
    const node = this.#nodeOf(id);
    if (node !== undefined) await this.#tree.change([{ verb: "Delete", at: join(accountsAt, node) }], asLocal());
    else await this.#remembered.set(id, undefined);
  }

  /**
   * One commit with every difference between the account's nodes and what it should be, and with its starting rights; nodes below Ext that others made stay.
   * What is remembered comes after: killed before that, the next start gives the same rights once more.
   */
  async #write(account: ServerAccount, owner: Remembered["owner"]): Promise<void> {
    const { id, devices } = account;
    const leaves = leavesOf(account);
    const node = this.#nodeOf(id) ?? this.#freeNode();
    const at = join(accountsAt, node);
    const changes: TreeChange[] = [];
    if (this.#stored.get(node as Rel) === undefined) {
      changes.push({ verb: "Add", at, value: { format: "node", children: new Map() } });
      changes.push({ verb: "Property", at, name: "ACL", value: `Delete=${id}&Get=${id}&Replace=${id}` });
    }
    for (const old of this.#leavesBelow(node as Rel)) {
      const rel = old.slice(node.length + 1);
      if (!leaves.has(rel) && (!rel.startsWith("Ext/") || rel.startsWith("Ext/dmgw/")))
        changes.push({ verb: "Delete", at: join(accountsAt, old) });
    }
    for (const [rel, value] of leaves) {
      const old = this.#stored.get(`${node}/${rel}` as Rel);
      if (old === undefined) changes.push({ verb: "Add", at: join(at, rel), value });
      else if (old !== "node" && !sameValue(old, value)) changes.push({ verb: "Replace", at: join(at, rel), value });
    }
    const before = this.#remembered.get(id);
    // Starting rights are given once; when the file says otherwise later, they follow it.
    if (before?.devices !== devices) changes.push(...deviceAreas.map((area) => this.#grant(area, id, devices)));
    if (changes.length > 0) await this.#tree.change(changes, asLocal());
    if (before?.owner !== owner || before.devices !== devices) await this.#remembered.set(id, { owner, devices });
  }

  *#leavesBelow(rel: Rel): Iterable<Rel> {
    if (this.#stored.get(rel) !== "node") {
      if (this.#stored.get(rel) !== undefined) yield rel;
      return;
    }
    for (const name of this.#stored.names(rel)) yield* this.#leavesBelow(`${rel}/${name}` as Rel);
  }

  #grant(at: Path, id: string, devices: Remembered["devices"]): TreeChange {
    const own = this.#ownAcl(at);
    if (devices === "none") {
      const left = own === undefined ? undefined : withoutServer(own, id, false);
      return aclChange(at, left ?? closed());
    }
    const rest = own === undefined ? undefined : withoutServer(own, nobody, false);
    return aclChange(at, withServer(rest, id, manageVerbs));
  }

  /** The device areas never inherit the root's "Get=*": a server sees the home only by a right of its own. */
  async #closeAreas(): Promise<void> {
    const changes = deviceAreas.filter((at) => this.#ownAcl(at) === undefined).map((at) => aclChange(at, closed()));
    if (changes.length > 0) await this.#tree.change(changes, asLocal());
  }

  #ownAcl(at: Path): Acl | undefined {
    const decision = this.#tree.decide(at, "Get", local);
    return decision.from === at ? parseAcl(decision.acl) : undefined;
  }

  #changed(batch: FilledBatch | undefined): void {
    const ids = new Set(this.#ids());
    const gone = [...this.#known].filter((id) => !ids.has(id));
    this.#known = ids;
    if (batch !== undefined) for (const id of gone) this.#forget(id, batch);
    this.#tellLater();
  }

  #forget(id: string, batch: FilledBatch): void {
    this.#log.info("an account is gone", { server: id });
    this.#tree.forgetServer(id, batch);
    for (const at of deviceAreas) {
      // An area whose last server went would fall back to the root's list, which lets everybody read.
      if (this.#ownAcl(at) === undefined) this.#tree.protect(at, closed(), batch);
    }
    this.#remembered.delete(batch, id);
    for (const forget of this.#forgetters) forget(id, batch);
  }

  #tellLater(): void {
    if (this.#told) return;
    this.#told = true;
    setImmediate(() => {
      this.#told = false;
      const accounts = this.list();
      for (const listener of this.#listeners) listener(accounts);
    });
  }
}

function closed(): Acl {
  return new Map([["Get", new Set([nobody])]]);
}

function aclChange(at: Path, acl: Acl): TreeChange {
  return { verb: "Property", at, name: "ACL", value: formatAcl(acl) };
}

function asLocal(): Call {
  return { by: local, signal: new AbortController().signal, correlator: "accounts", mayDefer: false };
}
