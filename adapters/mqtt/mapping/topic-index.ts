interface Branch<T> {
  readonly literal: Map<string, Branch<T>>;
  any: Branch<T> | undefined;
  readonly found: T[];
}

/** Things by the patterns of their topics, found by a topic: as many steps as the topic has levels, however many patterns there are. */
export class TopicIndex<T> {
  readonly #root = branch<T>();

  /** `levels`: undefined stands for any level. */
  add(levels: readonly (string | undefined)[], thing: T): void {
    let here = this.#root;
    for (const level of levels) {
      let next = level === undefined ? here.any : here.literal.get(level);
      if (next === undefined) {
        next = branch();
        if (level === undefined) here.any = next;
        else here.literal.set(level, next);
      }
      here = next;
    }
    here.found.push(thing);
  }

  /** Each that fits, with the levels that its pattern leaves open. */
  *match(topic: string): Iterable<readonly [T, readonly string[]]> {
    yield* walk(this.#root, topic.split("/"), 0, []);
  }
}

function branch<T>(): Branch<T> {
  return { literal: new Map(), any: undefined, found: [] };
}

function* walk<T>(
  here: Branch<T>,
  levels: readonly string[],
  at: number,
  open: readonly string[],
): Iterable<readonly [T, readonly string[]]> {
  const level = levels[at];
  if (level === undefined) {
    for (const thing of here.found) yield [thing, open];
    return;
  }
  const next = here.literal.get(level);
  if (next !== undefined) yield* walk(next, levels, at + 1, open);
  if (here.any !== undefined) yield* walk(here.any, levels, at + 1, [...open, level]);
}
