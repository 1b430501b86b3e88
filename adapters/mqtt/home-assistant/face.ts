import { createHash } from "node:crypto";
import type { Face } from "../../adapter.ts";
import { printable } from "../../printable.ts";
import type { ConfigTopic, DeviceBlock, Entity, EntityId } from "./config.ts";
import { textIn } from "./config.ts";
import { limits } from "../limits.ts";

type Clue = Face["clues"][number];

/**
 * Who the device is: its first identifier, else its first connection, else (no device block) its only entity. Only the first one counts, so
 * that the same topics give the same devices in whatever order they come; what the others have in common is a clue for the join.
 */
export function identityOf(at: ConfigTopic, device: DeviceBlock | undefined, entity: EntityId): string {
  const [identifier] = device?.identifiers ?? [];
  if (identifier !== undefined) return identity(identifier.trim());
  const [connection] = device?.connections ?? [];
  if (connection !== undefined) return identity(`${connection[0]}:${macIn(connection[1]) ?? connection[1].trim()}`);
  if (at.component === "device") return identity(`device/${at.objectId}`);
  const { component, nodeId, objectId, uniqueId } = entity;
  return identity(
    uniqueId === undefined ? [component, nodeId, objectId].filter(Boolean).join("/") : `${component}:${uniqueId}`,
  );
}

function identity(name: string): string {
  const word = oneWord(name);
  if (word.length <= limits.name) return `mqtt:ha:${word}`;
  return `mqtt:ha:${word.slice(0, 100)}~${createHash("sha256").update(name).digest("hex").slice(0, 12)}`;
}

/** Without blanks and control characters; different names stay different. */
function oneWord(name: string): string {
  return name.toWellFormed().replace(/[\s%\p{C}]/gu, (character) => encodeURIComponent(character));
}

/** A MAC in lower case with colons, however it is written. */
function macIn(text: string): string | undefined {
  const digits = text.trim().toLowerCase().replace(/[:.-]/g, "");
  return /^[0-9a-f]{12}$/.test(digits) ? digits.replace(/..(?=.)/g, "$&:") : undefined;
}

/** What a connection of a kind is a clue to. Bluetooth has addresses like Ethernet, but they are not on the network. */
const connectionClues = new Map<string, (value: string) => Clue | undefined>([
  ["mac", (value) => clue("mac", macIn(value))],
  ["upnp", (value) => clue("uuid", value.trim())],
  ["bluetooth", (value) => clue("protocol-id", prefixed("bluetooth", macIn(value)))],
  ["zigbee", (value) => clue("protocol-id", prefixed("zigbee", zigbeeAddress(value)))],
]);

/** Identifiers of vendors that hold an address. `says`: what another fact has to say, where the form alone is too common. */
const identifierClues: readonly {
  readonly vendor: string;
  readonly form: RegExp;
  readonly says?: RegExp;
  readonly clue: (part: string) => Clue | undefined;
}[] = [
  {
    vendor: "zigbee2mqtt",
    form: /^zigbee2mqtt_(0x[0-9a-f]{16})$/i,
    clue: (part) => clue("protocol-id", prefixed("zigbee", zigbeeAddress(part))),
  },
  { vendor: "ESPHome", form: /^([0-9a-f]{12})$/i, says: /esphome/i, clue: (part) => clue("mac", macIn(part)) },
  { vendor: "Shelly", form: /^shelly[a-z0-9]{1,30}-([0-9a-f]{12})$/i, clue: (part) => clue("mac", macIn(part)) },
  {
    vendor: "OpenMQTTGateway",
    form: /^([0-9a-f]{12})$/i,
    says: /^OMG|OpenMQTTGateway/i,
    clue: (part) => clue("mac", macIn(part)),
  },
];

function clue(kind: Clue["kind"], value: string | undefined): Clue | undefined {
  return value === undefined || value === "" ? undefined : { kind, value };
}

function prefixed(space: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `${space}:${value}`;
}

function zigbeeAddress(text: string): string | undefined {
  const address = text.trim().toLowerCase();
  return /^0x[0-9a-f]{16}$/.test(address) ? address : undefined;
}

/**
 * What a device says of itself. `blocks` by age: the first one says who it is; others with the same identifier may only add facts that it does
 * not have. `otherwise`: for what no block says.
 */
export function faceOf(
  own: string,
  blocks: readonly DeviceBlock[],
  otherwise: { readonly name: string; readonly firmware: string | undefined },
): Pick<Face, "clues" | "addresses" | "facts"> {
  const [first] = blocks;
  const fact = (key: "name" | "maker" | "model" | "firmware" | "hardware" | "serial") =>
    blocks.map((block) => block[key]).find((text) => text !== undefined);
  const facts = new Map([
    ["name", fact("name") ?? otherwise.name],
    ["maker", fact("maker")],
    ["model", fact("model")],
    ["firmware", fact("firmware") ?? otherwise.firmware],
    ["hardware", fact("hardware")],
    ["serial", fact("serial")],
  ]);
  return {
    clues: cluesOf(own, first),
    addresses: [],
    facts: Object.fromEntries([...facts].filter(([, text]) => text !== undefined)),
  };
}

function cluesOf(own: string, block: DeviceBlock | undefined): Clue[] {
  const found: (Clue | undefined)[] = [];
  for (const identifier of block?.identifiers ?? []) {
    found.push({ kind: "protocol-id", value: `homeassistant:${oneWord(identifier.trim())}` });
    for (const { form, says, clue: make } of identifierClues) {
      const part = form.exec(identifier.trim())?.[1];
      const vendor = `${block?.maker ?? ""} ${block?.model ?? ""} ${block?.firmware ?? ""}`;
      if (part !== undefined && (says === undefined || says.test(vendor.trim()))) found.push(make(part));
    }
  }
  for (const [kind, value] of block?.connections ?? []) found.push(connectionClues.get(kind.toLowerCase())?.(value));
  if (block?.serial !== undefined) found.push({ kind: "serial", value: block.serial });
  const clues = found.filter((one) => one !== undefined);
  if (clues.length === 0) clues.push({ kind: "protocol-id", value: own });
  return [...new Map(clues.map((one) => [`${one.kind} ${one.value}`, one])).values()];
}

/**
 * The node of each entity: its object id. Where two of a device have the same, all of these carry the node id, or else the component,
 * in front of it; so the names do not hang on who came first.
 */
export function namesOf<T extends EntityId>(entities: readonly T[]): Map<T, string> {
  const groups = new Map<string, T[]>();
  for (const entity of entities) groups.set(entity.objectId, [...(groups.get(entity.objectId) ?? []), entity]);
  const names = new Map<T, string>();
  const used = new Set<string>();
  for (const [objectId, group] of groups) {
    const differ = (word: (entity: T) => string | undefined) => new Set(group.map(word)).size === group.length;
    for (const entity of group) {
      const { nodeId = "", component } = entity;
      const full = [component, nodeId, objectId].filter(Boolean).join("_");
      const name =
        group.length === 1
          ? objectId
          : differ((one) => one.nodeId)
            ? [nodeId, objectId].filter(Boolean).join("_")
            : differ((one) => one.component)
              ? `${component}_${objectId}`
              : full;
      const free = used.has(name) ? full : name;
      used.add(free);
      names.set(entity, free);
    }
  }
  return names;
}

/** What the node of an entity is described with. */
export function aboutOf({ component, objectId, settings }: Entity): string {
  const name = textIn(settings, "name");
  const parts = [
    name === undefined || name === "" || name === objectId ? undefined : name,
    component.replaceAll("_", " "),
    textIn(settings, "device_class"),
  ];
  return printable(parts.filter((part) => part !== undefined && part !== "").join("; "), limits.name);
}
