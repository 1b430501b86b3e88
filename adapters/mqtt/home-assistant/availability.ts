import { textIn } from "./config.ts";
import type { Settings } from "./config.ts";
import { parseTemplate, render, whole, wordOf } from "./templates.ts";
import type { Heard, Template } from "./templates.ts";

interface Source {
  readonly topic: string;
  readonly there: string;
  readonly away: string;
  readonly template: Template;
  /** Two sources that say the same are one. */
  readonly key: string;
}

/** How one entity says whether it is there. */
export interface AvailabilityRule {
  /** Two entities that say it in the same way are one voice. */
  readonly key: string;
  readonly mode: "all" | "any" | "latest";
  readonly sources: readonly Source[];
}

/** undefined: it says nothing of it, or nothing that is understood. */
export function availabilityOf(settings: Settings, reads: (topic: string) => boolean): AvailabilityRule | undefined {
  const lines = settings.get("availability");
  const list = Array.isArray(lines)
    ? (lines as unknown[]).flatMap((line) =>
        line instanceof Map ? sourceOf(line as Settings, "topic", "value_template") : [],
      )
    : sourceOf(settings, "availability_topic", "availability_template");
  const sources = list.filter(({ topic }) => reads(topic));
  if (sources.length === 0) return undefined;
  const said = textIn(settings, "availability_mode");
  const mode = said === "all" || said === "any" ? said : "latest";
  return { key: JSON.stringify([mode, sources.map(({ key }) => key)]), mode, sources };
}

function sourceOf(settings: Settings, topicKey: string, templateKey: string): Source[] {
  const topic = settings.get(topicKey);
  const [there, away] = [
    textIn(settings, "payload_available") ?? "online",
    textIn(settings, "payload_not_available") ?? "offline",
  ];
  const text = settings.get(templateKey);
  const template =
    text === undefined || text === null || text === ""
      ? whole
      : typeof text === "string"
        ? parseTemplate(text)
        : undefined;
  if (typeof topic !== "string" || template === undefined || there === away) return [];
  return [{ topic, there, away, template, key: JSON.stringify([topic, there, away, text]) }];
}

/**
 * Is a device there, by what its entities declare? One that speaks for itself is enough: an entity that is not available is a part of a device
 * that is. A source that was never heard says "away", as in Home Assistant.
 */
export class Availability {
  #rules: ReadonlyMap<string, AvailabilityRule> = new Map();
  readonly #heard = new Map<string, { readonly there: boolean; readonly order: number }>();
  #order = 0;

  /** The rule itself, or the one that says the same and is there already: what thirty entities repeat is held once. */
  add(rule: AvailabilityRule): AvailabilityRule {
    const same = this.#rules.get(rule.key);
    if (same !== undefined) return same;
    this.#rules = new Map([...this.#rules, [rule.key, rule]]);
    return rule;
  }

  /** These and no others. What was heard stays where a source stays. */
  set(rules: Iterable<AvailabilityRule>): void {
    this.#rules = new Map([...rules].map((rule) => [rule.key, rule]));
    const keys = new Set(this.#sources().map(({ key }) => key));
    for (const key of this.#heard.keys()) if (!keys.has(key)) this.#heard.delete(key);
  }

  get topics(): ReadonlySet<string> {
    return new Set(this.#sources().map(({ topic }) => topic));
  }

  /** true: it says that something is there. undefined: it says nothing of it. */
  hear(topic: string, message: Heard): boolean | undefined {
    let says: boolean | undefined;
    for (const { key, topic: own, there, away, template } of this.#sources()) {
      if (own !== topic) continue;
      const word = wordOf(render(template, message));
      if (word !== there && word !== away) continue;
      this.#heard.set(key, { there: word === there, order: ++this.#order });
      says = says === true || word === there;
    }
    return says;
  }

  /** undefined: nothing declares it. */
  get says(): boolean | undefined {
    if (this.#rules.size === 0) return undefined;
    return [...this.#rules.values()].some(({ mode, sources }) => {
      const states = sources.map(({ key }) => this.#heard.get(key));
      if (mode === "all") return states.every((state) => state?.there === true);
      if (mode === "any") return states.some((state) => state?.there === true);
      const last = states.reduce((a, b) => ((b?.order ?? 0) > (a?.order ?? 0) ? b : a), undefined);
      return last?.there === true;
    });
  }

  #sources(): Source[] {
    return [...this.#rules.values()].flatMap(({ sources }) => sources);
  }
}
