import { DmError, Status, reasonOf } from "../../tree/errors.ts";
import { bucket } from "../../tree/ports.ts";
import type { ServerReport } from "../gateway.ts";
import type { ServerAccount } from "./account.ts";
import { Dialogue } from "./dialogue.ts";
import type { DialoguePorts, Reason } from "./dialogue.ts";
import type { ServerMemory } from "./memory.ts";

/** The upstream servers: one dialogue each, for as long as their accounts exist. */
export interface Upstream {
  /** These accounts from now on. One that was there and is not any more loses its outbox and its nonces. */
  set(accounts: readonly ServerAccount[]): void;
  /** Starts a session, or joins the one that runs. @throws DmError 404; 403 for a refused account; 503, 504 or what ended the session. */
  connect(id: string, progress: (line: string) => void, signal: AbortSignal): Promise<void>;
  /** A session now; while one runs, one more after it. @throws DmError 404 */
  request(id: string, reason: Reason): void;
  reports(): ServerReport[];
  /** Ends every session within a second. */
  stop(): Promise<void>;
}

/** Nothing is sent before the first account is set. The table "nonces" of the store is its own. */
export function openUpstream(ports: Omit<DialoguePorts, "memory">): Upstream {
  const { store, log, outbox } = ports;
  const memory = bucket<ServerMemory>(store, "nonces");
  const dialogues = new Map<string, Dialogue>();
  const unwatch = outbox.watch((id) => dialogues.get(id)?.hearNews());

  const find = (id: string): Dialogue => {
    const dialogue = dialogues.get(id);
    if (dialogue === undefined) throw new DmError(Status.notFound, `there is no server ${id}`);
    return dialogue;
  };

  const forget = async (id: string, dialogue: Dialogue): Promise<void> => {
    await dialogue.stop();
    const batch = store.batch();
    memory.delete(batch, id);
    outbox.forget(id, batch);
    await store.commit(batch);
  };

  return {
    set(accounts) {
      const wanted = new Map(accounts.map((account) => [account.id, account]));
      for (const [id, dialogue] of dialogues) {
        if (wanted.has(id)) continue;
        dialogues.delete(id);
        forget(id, dialogue).catch((error: unknown) => {
          log.error("a removed server leaves traces on the disk", { server: id, reason: reasonOf(error) });
        });
      }
      for (const [id, account] of wanted) {
        const dialogue = dialogues.get(id);
        if (dialogue === undefined) dialogues.set(id, new Dialogue(account, { ...ports, memory }));
        else
          dialogue.change(account).catch((error: unknown) => {
            log.error("a changed account is not taken", { server: id, reason: reasonOf(error) });
          });
      }
    },
    async connect(id, progress, signal) {
      await find(id).connect(progress, signal);
    },
    request: (id, reason) => find(id).request(reason),
    reports: () => [...dialogues.values()].map((dialogue) => dialogue.report()),
    async stop() {
      unwatch();
      await Promise.all([...dialogues.values()].map((dialogue) => dialogue.stop()));
    },
  };
}
