import { DmError, Status } from "./errors.ts";

export const aclVerbs = ["Add", "Delete", "Exec", "Get", "Replace"] as const;
export type AclVerb = (typeof aclVerbs)[number];

/** Who asks. `local` is the gateway's own CLI, which no ACL binds; `app` is a local application with rights of its own. */
export type Principal = { readonly kind: "server" | "app"; readonly id: string } | { readonly kind: "local" };

export const local: Principal = { kind: "local" };
export const server = (id: string): Principal => ({ kind: "server", id });

/** An access control list, parsed (DM TND 1.2.1, ACL property). A verb with nobody in it is absent; `*` stands alone. */
export type Acl = ReadonlyMap<AclVerb, ReadonlySet<string>>;

const idText = /^[^=&*+\s\u0000-\u001f\u007f]+$/;
const limit = 8192;

/** Can this text stand in an ACL as a server identifier? */
export function isServerId(id: string): boolean {
  return idText.test(id) && id.length <= 255;
}

/**
 * Reads "Get=*&Replace=a+b". "" gives undefined: no ACL of its own, so the node inherits.
 * Double entries are folded; `*` takes over whatever stands beside it.
 * @throws DmError 400 when malformed, 413 when too long.
 */
export function parseAcl(text: string): Acl | undefined {
  const body = text.trim();
  if (body === "") return undefined;
  if (body.length > limit) throw new DmError(Status.tooLarge, `an ACL of ${body.length} characters; at most ${limit}`);
  const acl = new Map<AclVerb, Set<string>>();
  for (const part of body.split("&")) {
    const equals = part.indexOf("=");
    const verb = aclVerbs.find((v) => v === part.slice(0, Math.max(0, equals)).trim());
    if (verb === undefined) {
      throw new DmError(Status.badRequest, `"${part.slice(0, 40)}" in an ACL: expected ${aclVerbs.join("=, ")}=`);
    }
    const ids = acl.get(verb) ?? new Set();
    for (const raw of part.slice(equals + 1).split("+")) {
      const id = raw.trim();
      if (id !== "*" && !isServerId(id))
        throw new DmError(Status.badRequest, `"${id.slice(0, 40)}" in an ACL is not a server id`);
      ids.add(id);
    }
    acl.set(verb, ids.has("*") ? new Set(["*"]) : ids);
  }
  return acl;
}

/** The canonical text: verbs and ids in alphabetical order, so that equal lists give equal texts. */
export function formatAcl(acl: Acl | undefined): string {
  if (acl === undefined) return "";
  return aclVerbs
    .filter((verb) => (acl.get(verb)?.size ?? 0) > 0)
    .map((verb) => `${verb}=${[...(acl.get(verb) ?? [])].sort().join("+")}`)
    .join("&");
}

/** Does the list let this principal do it? Ids are compared whole, so one that is a prefix of another is nobody's. */
export function allows(acl: Acl, verb: AclVerb, by: Principal): boolean {
  if (by.kind === "local") return true;
  const ids = acl.get(verb);
  return ids !== undefined && (ids.has("*") || ids.has(by.id));
}

/**
 * The list without one server, when its account is deleted. undefined: nothing is left, the node inherits.
 * On the root an emptied verb falls back to everybody (DM TND 1.2.1, deleting an account).
 */
export function withoutServer(acl: Acl, id: string, atRoot: boolean): Acl | undefined {
  const left = new Map<AclVerb, ReadonlySet<string>>();
  for (const [verb, ids] of acl) {
    const rest = new Set([...ids].filter((one) => one !== id));
    if (rest.size > 0) left.set(verb, rest);
    else if (atRoot) left.set(verb, new Set(["*"]));
  }
  return left.size === 0 ? undefined : left;
}

/** The list with this server added to these verbs. */
export function withServer(acl: Acl | undefined, id: string, verbs: readonly AclVerb[]): Acl {
  const wider = new Map<AclVerb, ReadonlySet<string>>(acl ?? []);
  for (const verb of verbs) {
    const ids = wider.get(verb) ?? new Set();
    if (!ids.has("*")) wider.set(verb, new Set([...ids, id]));
  }
  return wider;
}
