import { DmError, Status } from "../../tree/errors.ts";

/** What a person reads on `dmgw status` when the line to the broker fails: what happened, and what to do. */
const reasons = new Map<string | number, (where: string) => string>([
  ["ECONNREFUSED", (where) => `no MQTT broker answers at ${where}: is it running, and does it listen there?`],
  ["ENOTFOUND", (where) => `the name of the MQTT broker in ${where} is not known`],
  ["EAI_AGAIN", (where) => `the name of the MQTT broker in ${where} cannot be looked up now`],
  ["ETIMEDOUT", (where) => `the MQTT broker at ${where} does not answer in time`],
  ["EHOSTUNREACH", (where) => `there is no way to the MQTT broker at ${where}`],
  ["ENETUNREACH", (where) => `there is no way to the MQTT broker at ${where}`],
  ["ECONNRESET", closedEarly],
  [1, () => "the MQTT broker does not speak MQTT 3.1.1"],
  [2, () => "the MQTT broker refuses the client id: see adapters.mqtt.clientId"],
  [3, () => "the MQTT broker says that it is not available now"],
  [4, () => "the MQTT broker refuses the user name or the password: see adapters.mqtt.username and .password"],
  [5, () => "the MQTT broker refuses the user name or the password: see adapters.mqtt.username and .password"],
  ["EPROTO", (where) => `${where} speaks no TLS: should the URL begin with mqtt:// instead of mqtts://?`],
  ["ERR_SSL_WRONG_VERSION_NUMBER", (where) => `${where} speaks no TLS: should the URL begin with mqtt://?`],
  ["ERR_TLS_CERT_ALTNAME_INVALID", (where) => `the MQTT broker's certificate is for another name than ${where}`],
  ["CERT_HAS_EXPIRED", () => "the MQTT broker's certificate has expired (or the clock of this gateway is wrong)"],
  [
    "CERT_NOT_YET_VALID",
    () => "the MQTT broker's certificate is not valid yet (or the clock of this gateway is wrong)",
  ],
  ...[
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "UNABLE_TO_GET_ISSUER_CERT",
    "CERT_SIGNATURE_FAILURE",
  ].map(
    (code) =>
      [code, () => "the MQTT broker's certificate is not trusted: its CA belongs in adapters.mqtt.tls.ca"] as const,
  ),
  ...["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE"].map(
    (code) => [code, () => "the MQTT broker wants a client certificate: see adapters.mqtt.tls.cert and .key"] as const,
  ),
]);

/** The line was closed before the broker said anything. */
export function closedEarly(where: string): string {
  const hint = where.startsWith("mqtts:")
    ? "does that port speak TLS, and does it want a client certificate (adapters.mqtt.tls.cert)?"
    : "does that port want TLS (mqtts://)?";
  return `the MQTT broker at ${where} closed the connection: ${hint}`;
}

/** The reason in words. `where`: the broker's URL, without credentials. */
export function reasonOfLine(error: unknown, where: string): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = typeof code === "string" || typeof code === "number" ? reasons.get(code) : undefined;
  if (known !== undefined) return known(where);
  const text = typeof message === "string" && message !== "" ? message : String(error);
  // The socket's errors have codes; those of the MQTT parser have none.
  return code === undefined ? `${where} speaks no MQTT: ${text}` : `${where}: ${text}`;
}

/** A message could not be handed to the broker. */
export function notSent(cause: unknown): DmError {
  return new DmError(Status.unavailable, "the MQTT broker did not take the message: the connection to it broke", {
    cause,
  });
}

const listening = new Map<unknown, string>([
  ["EADDRINUSE", "another program has that port: stop it, or choose another port in adapters.mqtt.embedded.listen"],
  ["EADDRNOTAVAIL", "this machine does not have that address now: see adapters.mqtt.embedded.listen"],
  ["EACCES", "a port below 1024 needs a right that dmgw does not have: choose a higher one"],
  ["ENOTFOUND", "its name is not known"],
  ["EAI_AGAIN", "its name cannot be looked up now"],
]);

/** Why the embedded broker cannot listen, in words. */
export function reasonOfListening(error: Error): string {
  return listening.get((error as { code?: unknown }).code) ?? error.message;
}
