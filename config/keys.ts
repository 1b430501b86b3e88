// What a schema says of its keys, seen without the wrapping of the schema library.
import * as v from "valibot";
import type { Kind } from "../adapters/option-kinds.ts";

/** A key of the config, as its schema describes it. */
export interface KeyView {
  readonly schema: v.GenericSchema;
  readonly shape:
    | { readonly kind: "group"; readonly keys: Readonly<Record<string, v.GenericSchema>> }
    | { readonly kind: "list"; readonly item: v.GenericSchema }
    | { readonly kind: "text" | "flag" | "anything" };
  readonly about: Partial<Kind> & { readonly example?: string };
  readonly description: string | undefined;
  /** It has to be given. */
  readonly required: boolean;
  /** As it would be written; undefined: absent, or a group. */
  readonly preset: unknown;
  /** The words that it may be, where these are few. */
  readonly words: readonly string[];
}

/** The parts of a schema object that are looked at here; the library types them schema by schema. */
interface Parts {
  readonly type: string;
  readonly wrapped?: v.GenericSchema;
  readonly default?: unknown;
  readonly entries?: Readonly<Record<string, v.GenericSchema>>;
  readonly item?: v.GenericSchema;
  readonly options?: readonly string[];
}

export function viewOf(schema: v.GenericSchema): KeyView {
  const outer = schema as unknown as Parts;
  const wrapped = outer.type === "optional" || outer.type === "exact_optional" ? outer.wrapped : undefined;
  const inner = wrapped ?? schema;
  const { type, entries, item, options = [] } = inner as unknown as Parts;
  return {
    schema: inner,
    shape: shapeOf(type, entries, item),
    about: v.getMetadata(inner),
    description: v.getDescription(inner),
    required: wrapped === undefined,
    preset: outer.default,
    words: options,
  };
}

function shapeOf(type: string, entries: Parts["entries"], item: Parts["item"]): KeyView["shape"] {
  if (entries !== undefined) return { kind: "group", keys: entries };
  if (item !== undefined) return { kind: "list", item };
  if (type === "unknown") return { kind: "anything" };
  return { kind: type === "boolean" ? "flag" : "text" };
}
