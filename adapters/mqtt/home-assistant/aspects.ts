import type { Settings } from "./config.ts";
import * as shape from "./shapes.ts";
import type { ShapeOf } from "./shapes.ts";

/** One property of an entity: a line of the tables below. All names are keys of the config. */
export interface Aspect {
  /** Its node below the entity's; several: nodes within nodes. */
  readonly name: string | readonly string[];
  /** The topic on which it is reported. */
  readonly state?: string;
  /** The template of what is reported, the first that the config has; none: the payload as it is. */
  readonly template?: readonly string[];
  /** Where it stands when there is no template and the payload is a JSON object; `plain`: a payload that is none says it too. */
  readonly key?: string;
  readonly plain?: boolean;
  /** The topic on which it is told. */
  readonly command?: string;
  readonly commandTemplate?: string;
  /** What a command template may call the value, beside `value`. */
  readonly called?: string;
  /** Without a command template it is told as a JSON object with this path; those of one group go together. */
  readonly json?: { readonly keys: readonly string[]; readonly group: string };
  readonly shape: ShapeOf;
  /** false: what was told need not come back. */
  readonly echoes?: false;
  /** The flag that says that it is assumed to be as it was told; default "optimistic". */
  readonly assumed?: string;
}

export type Aspects = readonly Aspect[] | ((settings: Settings) => readonly Aspect[]);

export const power = shape.onOff(["payload_on", "ON"], ["payload_off", "OFF"]);
export const powerAs = shape.onOff(["payload_on", "ON"], ["payload_off", "OFF"], ["state_on", "state_off"]);
export const percent = shape.range({ from: 0, to: 100, whole: true, unit: "%" });

/** The usual pair of topics: `<name>_state_topic` and `<name>_command_topic`. `template`: the word in front of `_template`. */
export function pair(name: string, of: ShapeOf, template = `${name}_state`, more: Partial<Aspect> = {}): Aspect {
  return {
    name,
    state: `${name}_state_topic`,
    template: [`${template}_template`],
    command: `${name}_command_topic`,
    commandTemplate: `${name}_command_template`,
    shape: of,
    ...more,
  };
}

/** The entity's main pair. */
export function main(of: ShapeOf, template = "value_template", more: Partial<Aspect> = {}): Aspect {
  return {
    name: "state",
    state: "state_topic",
    template: [template],
    command: "command_topic",
    commandTemplate: "command_template",
    shape: of,
    ...more,
  };
}

/** Orders that have no state of their own. */
export function orders(...words: (readonly [key: string, word: string | undefined])[]): Aspect {
  return {
    name: "command",
    command: "command_topic",
    commandTemplate: "command_template",
    shape: shape.oneOfWords(words),
  };
}

export function said(name: string, topic: string, template: readonly string[], of: ShapeOf): Aspect {
  return { name, state: topic, template, shape: of };
}
