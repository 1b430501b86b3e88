// From what stands in the file to what the schema checks: unknown keys named, secrets and certificates read, paths made absolute.
import { resolve as absolute } from "node:path";
import type * as v from "valibot";
import type { ConfigProblem } from "../tree/errors.ts";
import { readSmallFile } from "./files.ts";
import { viewOf } from "./keys.ts";
import type { KeyView } from "./keys.ts";
import { keyBelow, plain } from "./nodes.ts";
import type { ConfigNode, GroupNode, ScalarNode } from "./nodes.ts";
import { nearest } from "./suggest.ts";

export interface Resolved {
  /** Plain data for the schema. */
  readonly input: unknown;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
  /** Places of secrets that are written out in full. */
  readonly bareSecrets: readonly string[];
}

/** Stands for a value that could not be had and was reported: no schema takes it. */
export const missing: unique symbol = Symbol("missing");

/** Octets of a secret or a certificate. */
const maxFile = 256 * 1024;

/** Follows `schema` through `node`. Never throws: whatever is wrong is a problem. */
export function resolveNode(
  node: ConfigNode,
  schema: v.GenericSchema,
  env: Readonly<Record<string, string | undefined>>,
): Resolved {
  const resolution = new Resolution(env);
  const input = resolution.value(node, viewOf(schema), "");
  return { input, problems: resolution.problems, warnings: resolution.warnings, bareSecrets: resolution.bareSecrets };
}

class Resolution {
  readonly problems: ConfigProblem[] = [];
  readonly warnings: ConfigProblem[] = [];
  readonly bareSecrets: string[] = [];
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  value(node: ConfigNode, view: KeyView, key: string): unknown {
    const { shape, about } = view;
    if (shape.kind === "anything") return plain(node);
    if (shape.kind === "group") return this.#group(node, shape.keys, key);
    if (shape.kind === "list") return this.#list(node, shape.item, key, about.orOne === true);
    if (node.kind === "scalar") return this.#scalar(node, view, key);
    if (node.kind === "group" && about.secret === true) return this.#reference(node, view, key);
    return plain(node);
  }

  /** A group whose keys are all commented out is an empty one. */
  #group(node: ConfigNode, keys: Readonly<Record<string, v.GenericSchema>>, key: string): unknown {
    if (node.kind === "scalar" && node.value === null) return {};
    if (node.kind !== "group") return plain(node);
    const input: [string, unknown][] = [];
    for (const [name, entry] of node.entries) {
      const below = keyBelow(key, name);
      const schema = Object.hasOwn(keys, name) ? keys[name] : undefined;
      if (schema === undefined) this.#unknownKey(below, name, Object.keys(keys), entry.at);
      else input.push([name, this.value(entry.node, viewOf(schema), below)]);
    }
    return Object.fromEntries(input);
  }

  #list(node: ConfigNode, item: v.GenericSchema, key: string, orOne: boolean): unknown {
    if (node.kind === "scalar" && node.value === null) return [];
    if (node.kind === "scalar" && orOne) return [this.value(node, viewOf(item), key)];
    if (node.kind !== "list") return plain(node);
    return node.items.map((one, index) => this.value(one, viewOf(item), keyBelow(key, index)));
  }

  #scalar(node: ScalarNode, { shape, about }: KeyView, key: string): unknown {
    if (node.value === null) {
      this.#say(key, node.at, `${key} has no value: give one, or leave the key out`);
      return missing;
    }
    if (shape.kind === "flag") return node.value;
    // What YAML takes for a number is text here, as it is written: a password 0123, a version 1.10.
    const { text } = node;
    const inline = about.reads !== "pem" || text.includes("-----BEGIN");
    if (about.secret === true && inline && text !== "") this.bareSecrets.push(node.at);
    if (about.reads === "path") return text === "" ? text : absolute(node.base, text);
    return about.reads === "pem" && text !== "" && !inline
      ? this.#file(absolute(node.base, text), node.at, key, about.secret === true)
      : text;
  }

  /** `{ file: path }` or `{ env: NAME }`. */
  #reference(node: GroupNode, { about }: KeyView, key: string): unknown {
    const [[name, entry] = [], more] = [...node.entries];
    if (
      entry === undefined ||
      more !== undefined ||
      entry.node.kind !== "scalar" ||
      (name !== "file" && name !== "env")
    ) {
      this.#say(key, node.at, `${key}: expected text, { file: path } or { env: NAME }`);
      return missing;
    }
    const { text, at, base } = entry.node;
    if (text === "") {
      this.#say(key, at, `${key}.${name} has no value`);
      return missing;
    }
    if (name === "file") return this.#file(absolute(base, text), at, key, about.secret === true);
    const value = this.#env[text];
    if (value !== undefined && value !== "") return value;
    this.#say(key, at, `${key}: the environment variable ${text} is ${value === undefined ? "not set" : "empty"}`);
    return missing;
  }

  #file(path: string, at: string, key: string, secret: boolean): unknown {
    const file = readSmallFile(path, maxFile);
    if ("fault" in file) {
      // A long "path" to a key may be the key itself, without its first line.
      this.#say(key, at, `${key}: the file ${secret && path.length > 150 ? "that is named here" : path} ${file.fault}`);
      return missing;
    }
    if (secret && (file.mode & 0o004) !== 0) {
      this.warnings.push({ key, message: `${key}: every user can read ${path}: chmod o-r ${path}`, where: at });
    }
    // Editors end the last line of a file.
    const text = file.text.replace(/\r?\n$/, "");
    if (text !== "") return text;
    this.#say(key, at, `${key}: the file ${path} is empty`);
    return missing;
  }

  #unknownKey(key: string, name: string, known: readonly string[], at: string): void {
    const meant = nearest(name, known);
    const hint = meant === undefined ? `here are: ${known.join(", ")}` : `did you mean "${meant}"?`;
    this.#say(key, at, `${key}: there is no such key; ${hint}`);
  }

  #say(key: string, where: string, message: string): void {
    this.problems.push({ key, message, where });
  }
}
