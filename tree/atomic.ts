import { parseAcl } from "./acl.ts";
import { ChangeError, reasonOf } from "./errors.ts";
import type { Call, Change, Outcome, WriteCall } from "./mo.ts";
import { joinRel, leafName, parentRel } from "./path.ts";
import type { FilledBatch, Log } from "./ports.ts";
import { groups } from "./plan.ts";
import type { Step } from "./plan.ts";
import type { Mount } from "./places.ts";
import type { Undo } from "./properties.ts";
import { local } from "./acl.ts";
import { isInterior } from "./value.ts";

/** What was done, and how to take it back. */
export interface Done {
  readonly outcome: Outcome;
  /** Resolves with false when something could not be taken back. */
  undo(): Promise<boolean>;
}

/**
 * Runs checked steps in order, one call for each run of steps on one MO. When one fails, everything before it is taken back and a ChangeError
 * tells which it was, with its own status.
 */
export async function runSteps(
  steps: readonly Step[],
  call: Call & { readonly undoSignal: AbortSignal },
  batch: FilledBatch,
  scratch: () => FilledBatch,
  log?: Log,
): Promise<Done> {
  const undos: (() => Promise<void> | void)[] = [];
  let outcome: Outcome = { state: "done" };
  const runs = groups(steps);
  const write: WriteCall = { ...call, batch, mayDefer: call.mayDefer && runs.length === 1 };
  const undo = async (): Promise<boolean> => {
    // All are begun at once, the last one first: what is kept has gone back before this returns, so nobody writes in between; a device takes them in this order.
    const ends = await Promise.allSettled(
      undos
        .splice(0)
        .reverse()
        .map(async (one) => one()),
    );
    const failed = ends.filter((end) => end.status === "rejected");
    for (const { reason } of failed) log?.error("a change could not be taken back", { reason: reasonOf(reason) });
    return failed.length === 0;
  };
  for (const run of runs) {
    const first = run.steps[0];
    try {
      if (first?.do === "property") undos.push(...run.steps.map((step) => setProperty(step, batch)));
      else {
        const { back, changes } = await inverse(run.mount, run.steps, call);
        outcome = await run.mount.mo.apply(changes, write);
        undos.push(() =>
          takeBack(run.mount, back, {
            ...write,
            by: local,
            signal: call.undoSignal,
            batch: scratch(),
            mayDefer: false,
          }),
        );
        undos.push(...run.steps.map((step) => followProperties(step, batch)));
      }
    } catch (error) {
      const inner = error instanceof ChangeError ? error : undefined;
      const undone = await undo();
      const index = (run.steps[inner?.index ?? 0] ?? first)?.index ?? 0;
      throw new ChangeError(index, undone && inner?.undone !== false, inner === undefined ? error : inner.cause);
    }
  }
  return { outcome, undo };
}

function setProperty(step: Step, batch: FilledBatch): Undo {
  if (step.do !== "property") return () => undefined;
  const { mount, rel } = step.place;
  if (step.property === "ACL") return mount.book.setAcl(rel, parseAcl(step.value), batch);
  return mount.book.setTitle(rel, step.value, batch);
}

/** Properties go where their node goes. TStamp and VerNo are moved by the tree once everything is done. */
function followProperties(step: Step, batch: FilledBatch): Undo {
  if (step.do !== "change") return () => undefined;
  const { mount, rel } = step.place;
  switch (step.change.verb) {
    case "Add":
      if (step.acl === undefined && step.type === undefined) return () => undefined;
      return mount.book.set(
        rel,
        {
          ...(step.acl === undefined ? {} : { acl: step.acl }),
          ...(step.type === undefined ? {} : { type: step.type }),
        },
        batch,
      );
    case "Delete":
      return mount.book.drop(rel, batch);
    case "Rename":
      return mount.book.move(rel, joinRel(parentRel(rel) ?? rel, step.change.name), batch);
    case "Replace":
      return () => undefined;
  }
}

/** The changes that lead back, read from what the MO knows before it is touched. */
async function inverse(
  mount: Mount,
  steps: readonly Step[],
  call: Call,
): Promise<{ back: Change[]; changes: Change[] }> {
  const back: Change[] = [];
  const changes: Change[] = [];
  const asLocal: Call = { ...call, by: local };
  for (const step of steps) {
    if (step.do !== "change") continue;
    const { change } = step;
    changes.push(change);
    if (change.verb === "Add") back.unshift({ verb: "Delete", rel: change.rel });
    if (change.verb === "Rename") {
      const to = joinRel(parentRel(change.rel) ?? change.rel, change.name);
      back.unshift({ verb: "Rename", rel: to, name: leafName(change.rel) });
    }
    // A node that an earlier step of the same run adds is taken back by that step's own inverse.
    if ((change.verb === "Replace" || change.verb === "Delete") && mount.mo.has(change.rel)) {
      const old = await mount.mo.read(change.rel, "deep", asLocal).catch(() => undefined);
      if (old === undefined) continue;
      if (change.verb === "Delete") back.unshift({ verb: "Add", rel: change.rel, value: old });
      else if (!isInterior(old)) back.unshift({ verb: "Replace", rel: change.rel, value: old });
    }
  }
  return { back, changes };
}

async function takeBack(mount: Mount, back: readonly Change[], call: WriteCall): Promise<void> {
  if (back.length > 0) await mount.mo.apply(back, call);
}
