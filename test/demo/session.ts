// Sessions of the story's DM server, as somebody in the home starts them.
import type { Outcome } from "../fakes/dm-server/answers.ts";
import type { Ask } from "../fakes/dm-server/asks.ts";
import { overhear } from "./overheard.ts";
import { operator } from "./stage.ts";
import type { Stage } from "./stage.ts";
import { show } from "./story.ts";

/** What the server says while the story goes on. */
export const overheard = overhear();

/** The server asks, the installer starts the session, and it is told how it went. */
export async function session({ server, gateway }: Stage, asks: readonly Ask[]): Promise<readonly Outcome[]> {
  const answered = server.run(asks);
  await gateway.cli("connect", operator);
  show(`dmgw connect ${operator}`);
  const outcomes = await answered;
  overheard.tell();
  return outcomes;
}
