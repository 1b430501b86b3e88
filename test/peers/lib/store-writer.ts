import { writeSync } from "node:fs";
import { systemClock } from "../../../daemon/clock.ts";
import { openStore } from "../../../daemon/store.ts";
import { DmError, reasonOf } from "../../../tree/errors.ts";
import { fakeLog } from "../../fakes/log.ts";

/**
 * A process that commits to a store and says on standard output what was answered, at the moment of the answer:
 * `open <degraded>`, `ok <id>`, `no <id> <status>`, `usage <json>`, `closed`; `failed <reason>` when the store cannot be opened.
 *
 * Arguments: folder, writers that commit at the same time, commits of each (0: until killed), name of this run, and how: "turn": all
 * commits in one turn of the event loop; "die": killed by itself instead of closing the store.
 *
 * One commit puts `<run>/<writer>/<n>` into the tables "left" and "right": both or none of them have to be there afterwards.
 */
const [folder = "", writers = "1", count = "0", run = "run", mode = ""] = process.argv.slice(2);
/** At once: a kill must not lose a line that stands for a commit. While the reader is busy the pipe may be full. */
const say = (line: string) => {
  let rest = Buffer.from(`${line}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
};

try {
  const store = openStore({ folder, clock: systemClock, log: fakeLog() });
  say(`open ${store.degraded ?? ""}`);

  const commitOne = async (id: string) => {
    const batch = store.batch();
    batch.put("left", id, { id, text: "x".repeat(100 + Math.floor(Math.random() * 3000)) });
    batch.put("right", id, id);
    await store.commit(batch).then(
      () => say(`ok ${id}`),
      (error: unknown) => say(`no ${id} ${error instanceof DmError ? error.status : String(error)}`),
    );
  };
  const commitMany = async (writer: number) => {
    const answered: Promise<void>[] = [];
    for (let n = 0; count === "0" || n < Number(count); n++) {
      const done = commitOne(`${run}/${writer}/${n}`);
      if (mode === "turn") answered.push(done);
      else await done;
    }
    await Promise.all(answered);
  };
  await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => commitMany(writer)));
  say(`usage ${JSON.stringify(store.usage())}`);
  if (mode === "die") process.kill(process.pid, "SIGKILL");
  store.close();
  say("closed");
} catch (error) {
  say(`failed ${reasonOf(error)}`);
  process.exitCode = 78;
}
