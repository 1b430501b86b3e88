// The kinds of values that options are made of: of adapters, and of the daemon (config/schema.ts).
import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import * as v from "valibot";

// A type and not an interface: valibot takes it as a record only so.
/** What a kind says of itself beyond its checks: how the config reader treats it, and how the reference describes it. */
export type Kind = {
  /** Form of the value, for a person: "a duration: 500ms, 5s, 10m, 24h, 7d". */
  readonly form: string;
  /** Never shown; may be given as `{ file: path }` or `{ env: NAME }`. */
  readonly secret?: true;
  /**
   * `path`: made absolute, from the folder of the file it stands in. `pem`: the text of that file is the value. `yaml`, of a list: what is
   * given is the path of a YAML file, or a list of them, and the list is of what they hold.
   */
  readonly reads?: "path" | "pem" | "yaml";
  /** Of a list: one value stands for a list of it alone. */
  readonly orOne?: true;
};

const kind = <T>(about: Kind) => v.metadata<T, Kind>(about);

/** Adds what the reference says of a key. */
export function described<const S extends v.GenericSchema>(schema: S, description: string, example?: string) {
  return v.pipe(
    schema,
    v.description<v.InferOutput<S>, string>(description),
    v.metadata<v.InferOutput<S>, { example?: string }>(example === undefined ? {} : { example }),
  );
}

/** A key that may be left out and then is absent. */
export function optional<const S extends v.GenericSchema>(schema: S, description: string, example?: string) {
  return v.exactOptional(described(schema, description, example));
}

const controls = /[\u0000-\u001f\u007f]/;

/** One line of text for a person or a peer. */
export const text = v.pipe(
  v.string(),
  v.minLength(1, "is empty"),
  v.maxLength(255, "has more than 255 characters"),
  v.check((value) => !controls.test(value), "holds control characters"),
  kind({ form: "text" }),
);

/** A password or key. */
export const secret = v.pipe(
  v.string(),
  v.minLength(1, "is empty"),
  v.maxLength(4096, "has more than 4096 characters"),
  kind({ form: "a secret: text, { file: path } or { env: NAME }", secret: true }),
);

export const flag = v.pipe(v.boolean(), kind({ form: "true or false" }));

/** One of some words. */
export function oneOf<const W extends readonly string[]>(...words: W) {
  return v.pipe(v.picklist(words), kind({ form: words.join(" | ") }));
}

export const filePath = v.pipe(
  v.string(),
  v.minLength(1, "is empty"),
  v.check((value) => !controls.test(value), "holds control characters"),
  kind({ form: "a path", reads: "path" }),
);

const unitMs: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** "500ms", "5s", "10m", "24h", "7d" or "0" as ms; undefined for anything else. */
export function parseDuration(value: string): number | undefined {
  if (value === "0") return 0;
  const [, digits, unit] = /^(\d{1,9}(?:\.\d{1,3})?)\s?(ms|s|m|h|d)$/.exec(value) ?? [];
  const ms = unitMs.get(unit ?? "");
  return digits === undefined || ms === undefined ? undefined : Math.round(Number(digits) * ms);
}

/** A time span, read as ms. Limits are durations too; `zero` says what 0 means, where it is allowed below `least`. */
export function duration(least: string, most: string, zero?: string) {
  const [min, max] = [parseDuration(least) ?? 0, parseDuration(most) ?? 0];
  const range = `${least} to ${most}${zero === undefined ? "" : `, or 0: ${zero}`}`;
  return v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }): number => {
      const ms = parseDuration(dataset.value);
      if (ms === undefined) {
        addIssue({ message: "is not a duration: write a number and its unit, such as 500ms, 5s, 10m, 24h or 7d" });
        return NEVER;
      }
      const fits = (ms >= min && ms <= max) || (ms === 0 && zero !== undefined);
      if (!fits) addIssue({ message: `is out of range: ${range}` });
      return ms;
    }),
    kind({ form: `a duration, ${range}` }),
  );
}

/** Where a listener is bound. Without a host: the addresses of the LAN interfaces. */
export interface Listen {
  readonly host?: string;
  readonly port: number;
}

/** "host:port", ":port", "port" or "[IPv6]:port"; undefined for anything else. */
export function parseListen(value: string): Listen | undefined {
  const [, six, name, digits] = /^(?:(?:\[([^[\]]*)\]|([^:[\]\s]*)):)?(\d{1,5})$/.exec(value) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65_535) return undefined;
  if (six !== undefined) return isIP(six) === 6 ? { host: six, port } : undefined;
  if (name === undefined || name === "") return { port };
  const isName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(name) && !/^[\d.]+$/.test(name);
  return isIP(name) === 4 || isName ? { host: name, port } : undefined;
}

export const listen = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }): Listen => {
    const where = parseListen(dataset.value);
    if (where !== undefined) return where;
    addIssue({
      message: 'is not an address to listen on: write "192.168.1.1:5683", "[fe80::1]:5683", ":5683" or "5683"',
    });
    return NEVER;
  }),
  kind({ form: '"host:port", "[IPv6]:port", ":port" or "port"' }),
);

/** A URL of one of these schemes, with a host and without credentials; kept as it is written. */
export function url(...schemes: readonly string[]) {
  const forms = schemes.map((scheme) => `${scheme}://`).join(" or ");
  return v.pipe(
    v.string(),
    v.maxLength(1000, "has more than 1000 characters"),
    v.rawCheck(({ dataset, addIssue }) => {
      const fault = dataset.typed ? urlFault(dataset.value, schemes, forms) : undefined;
      if (fault !== undefined) addIssue({ message: fault });
    }),
    kind({ form: `a URL: ${forms}` }),
  );
}

function urlFault(value: string, schemes: readonly string[], forms: string): string | undefined {
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value) ?? [];
  if (scheme === undefined || /\s/.test(value) || !URL.canParse(value)) {
    return `is not a URL: write ${forms}, then host, port and path`;
  }
  if (!schemes.includes(scheme)) return `does not begin with ${forms}`;
  const { hostname, port, username, password, hash } = new URL(value);
  if (hostname === "") return "names no host";
  if (port === "0") return "names port 0";
  if (username !== "" || password !== "") return "holds a user name or password: these have keys of their own";
  return hash === "" ? undefined : "holds a fragment (#): leave it out";
}

const certificateText = v.pipe(
  v.string(),
  v.check(
    (pem) => readable(() => new X509Certificate(pem)),
    'is no certificate in PEM form: a file with "-----BEGIN CERTIFICATE-----"',
  ),
  kind({ form: "a path, or PEM text", reads: "pem" }),
);
const keyText = v.pipe(
  v.string(),
  v.check(
    (pem) => readable(() => createPrivateKey(pem)),
    'is no private key in PEM form without a pass phrase: a file with "-----BEGIN PRIVATE KEY-----"',
  ),
  kind({ form: "a path, PEM text, { file: path } or { env: NAME }", reads: "pem", secret: true }),
);

function readable(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

/** Issues of rules: a key that only breaks a rule is still right in itself. */
const ofRules = new WeakSet<object>();

/**
 * A rule over several keys of a group: checked as soon as these keys are right in themselves, whatever else is wrong, and shown at the
 * first of them.
 */
export function rule<T extends object>(
  keys: readonly (keyof T & string)[],
  holds: (given: T) => boolean,
  message: string,
) {
  return v.rawCheck<T>(({ dataset, addIssue }) => {
    const inThemselves = (dataset.issues ?? []).filter((issue) => !ofRules.has(issue));
    const wrong = inThemselves.some(({ path }) => path === undefined || keys.some((key) => key === path[0].key));
    const given = dataset.value as T;
    const [key] = keys;
    if (wrong || key === undefined || holds(given)) return;
    addIssue({ message, path: [{ type: "unknown", origin: "value", input: given, key, value: given[key] }] });
    const made = dataset.issues?.at(-1);
    if (made !== undefined) ofRules.add(made);
  });
}

const ofCertificate = "is not the key of the certificate in cert";

/** Does the key belong to the certificate? */
function isKeyOf(key: string, cert: string): boolean {
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
}

/** TLS of a listener of ours; PEM texts. */
export const serverTls = v.pipe(
  v.object({
    cert: described(certificateText, "our certificate, with the chain behind it", "/etc/dmgw/cert.pem"),
    key: described(keyText, "its private key", "/etc/dmgw/key.pem"),
  }),
  rule(["key", "cert"], ({ cert, key }) => isKeyOf(key, cert), ofCertificate),
);

/** TLS towards a peer that we connect to; PEM texts. */
export const clientTls = v.pipe(
  v.object({
    ca: optional(
      certificateText,
      "the only CA, or the very certificate, that the peer is trusted by; default: the usual CAs",
      "/etc/dmgw/ca.pem",
    ),
    cert: optional(certificateText, "our certificate, where the peer asks for one", "/etc/dmgw/cert.pem"),
    key: optional(keyText, "its private key", "/etc/dmgw/key.pem"),
  }),
  rule(["cert", "key"], ({ cert, key }) => cert === undefined || key !== undefined, "is given without key"),
  rule(["key", "cert"], ({ cert, key }) => key === undefined || cert !== undefined, "is given without cert"),
  rule(
    ["key", "cert"],
    ({ cert, key }) => cert === undefined || key === undefined || isKeyOf(key, cert),
    ofCertificate,
  ),
);
