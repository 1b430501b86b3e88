import { parse } from "../json.ts";

/** A payload, read as far as somebody wants to know: as text, and once as JSON. */
export class Heard {
  readonly #payload: Buffer;
  #json: { readonly value: unknown } | undefined;

  constructor(payload: Buffer) {
    this.#payload = payload;
  }

  /** A retained message was deleted. */
  get empty(): boolean {
    return this.#payload.length === 0;
  }

  /** The whole text, or the field of the JSON. undefined: there is no such field. null: there is, and it holds nothing. */
  at(path: string | undefined): unknown {
    if (path === undefined) return this.#payload.toString();
    this.#json ??= { value: parse(this.#payload) };
    let value: unknown = this.#json.value;
    for (const key of path.split(".")) {
      // Only what the JSON itself holds, so `__proto__` is a name like any other.
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
      value = (value as Record<string, unknown>)[key];
    }
    return value;
  }

  /** The same as a word: what blanks are around it does not count. undefined: no text, number or boolean. */
  word(path: string | undefined): string | undefined {
    const value = this.at(path);
    if (typeof value === "string") return value.trim();
    return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
  }
}

/** How an order goes into a payload. */
export type PayloadForm = (value: unknown) => string;

/** `{value}` in a text; where the text is JSON, what stands there stays JSON. */
export function templateForm(template: string): PayloadForm {
  const isJson = looksLikeJson(template.replaceAll("{value}", "0"));
  return (value) => {
    const text = String(value);
    return template.replaceAll("{value}", () => (isJson ? JSON.stringify(text).slice(1, -1) : text));
  };
}

function looksLikeJson(text: string): boolean {
  const value = parse(Buffer.from(text));
  return typeof value === "object" && value !== null;
}

/** A word as a value of JSON: one that reads as true, false or a number is sent as such. */
export function inJson(value: unknown): unknown {
  if (typeof value !== "string") return value;
  return /^(true|false|-?(0|[1-9]\d{0,14})(\.\d{1,9})?)$/.test(value) ? (JSON.parse(value) as unknown) : value;
}
