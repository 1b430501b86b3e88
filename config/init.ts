/** What `dmgw init` asks. Whatever is left out stays at its default. */
export interface InitAnswers {
  readonly manufacturer?: string;
  readonly model?: string;
  /** Interfaces towards the home. */
  readonly interfaces?: readonly string[];
  readonly broker?: { readonly url: string; readonly username?: string; readonly password?: string };
  readonly server?: {
    readonly id: string;
    readonly url: string;
    readonly type: "basic" | "digest";
    /** The gateway to the server. */
    readonly client: { readonly name: string; readonly secret: string };
    /** The server to the gateway; without it `ca` has to pin the server. */
    readonly server?: { readonly name: string; readonly secret: string };
    /** Path of a certificate. */
    readonly ca?: string;
    readonly insecure?: boolean;
  };
}

/** A commented config file from the answers; it holds their secrets. The answers are not checked: loading the file does that. */
export function initConfig(answers: InitAnswers): string {
  const parts = [
    head,
    ...gatewayLines(answers),
    ...lanLines(answers),
    ...brokerLines(answers),
    ...serverLines(answers),
  ];
  return `${parts.join("\n")}\n`;
}

const head = `# The config of dmgw. Every key: config/reference.gen.md; all of them with comments: config/dmgw.example.yaml.
# \`dmgw check\` finds mistakes, \`dmgw reload\` takes changes without a restart.
# Secrets may also be given as { file: path } or { env: NAME }. Keep other users from reading this file (chmod 640).`;

/** Any text as YAML: a JSON string is one. */
const quoted = (text: string): string => JSON.stringify(text);
const list = (items: readonly string[]): string => `[ ${items.map(quoted).join(", ")} ]`;

function gatewayLines({ manufacturer, model }: InitAnswers): string[] {
  if (manufacturer === undefined && model === undefined) return [];
  return [
    "",
    "# What the gateway says of itself. Its id is made once and kept.",
    "gateway:",
    ...(manufacturer === undefined ? [] : [`  manufacturer: ${quoted(manufacturer)}`]),
    ...(model === undefined ? [] : [`  model: ${quoted(model)}`]),
  ];
}

function lanLines({ interfaces = [] }: InitAnswers): string[] {
  const about = ["", "# The side of the home. Default: every interface with a private or link-local address."];
  if (interfaces.length === 0) return [...about, "#lan:", "#  interfaces: [ br-lan ]"];
  return [...about, "lan:", `  interfaces: ${list(interfaces)}`];
}

function brokerLines({ broker }: InitAnswers): string[] {
  const about = ["", "# Devices that speak Homie 4 or 5 or zigbee2mqtt, through this broker."];
  if (broker === undefined) return [...about, "#adapters:", "#  mqtt:", '#    url: "mqtt://127.0.0.1:1883"'];
  return [
    ...about,
    "adapters:",
    "  mqtt:",
    `    url: ${quoted(broker.url)}`,
    ...(broker.username === undefined ? [] : [`    username: ${quoted(broker.username)}`]),
    ...(broker.password === undefined ? [] : [`    password: ${quoted(broker.password)}`]),
  ];
}

function serverLines({ server }: InitAnswers): string[] {
  const about = ["", "# The DM servers that manage this home. id: the ServerID, what ACLs name."];
  if (server === undefined)
    return [...about, "#servers:", "#  - id: com.example.dm", "#    url: https://dm.example.com/dm"];
  const side = ({ name, secret }: { readonly name: string; readonly secret: string }) =>
    `{ type: ${server.type}, name: ${quoted(name)}, secret: ${quoted(secret)} }`;
  return [
    ...about,
    "servers:",
    `  - id: ${quoted(server.id)}`,
    `    url: ${quoted(server.url)}`,
    "    # client: the gateway to the server; server: the server to the gateway.",
    "    auth:",
    `      client: ${side(server.client)}`,
    ...(server.server === undefined ? [] : [`      server: ${side(server.server)}`]),
    ...(server.ca === undefined
      ? []
      : ["    # Nothing but this certificate is trusted.", `    tls: { ca: ${quoted(server.ca)} }`]),
    ...(server.insecure === true
      ? ["    # Plain http: anybody on the way can read and change everything.", "    insecure: true"]
      : []),
    "    # A session at least this often, spread by a random share; 0: never.",
    "    poll: 24h",
    "    # Changes below these addresses go to the server as alerts.",
    "    report: { subtrees: [ ./Devices ], interval: 5s }",
  ];
}
