// npm run demo: a whole home on loopback in one terminal. It ends by itself, with exit code 1 when anything was not as told.
import { reasonOf } from "../../tree/errors.ts";
import { beginning, devicesAppear, oneThing, theNight, twoCameras } from "./home.ts";
import { lampReports, oneLanguage, operatorHears, operatorReads, operatorWrites, rights } from "./operator.ts";
import { aPersonDecides, groupOfLamps, powerFails } from "./people.ts";
import { overheard } from "./session.ts";
import { setStage } from "./stage.ts";
import type { Stage } from "./stage.ts";
import { chapter, say } from "./story.ts";

const stage = await setStage(overheard.hear).catch((error: unknown) => {
  console.error(`The demo cannot be set up: ${reasonOf(error)}`);
  process.exit(1);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void leave(130));
setTimeout(() => void fail(new Error("it takes longer than two minutes")), 110_000).unref();
await play(stage).then(() => leave(0), fail);

async function play(all: Stage): Promise<void> {
  await beginning(all);
  const lamp = await devicesAppear(all);
  const box = await oneThing(all);
  await operatorHears(all);
  await operatorReads(all, lamp);
  await operatorWrites(all, lamp);
  await oneLanguage(all);
  await lampReports(all, lamp);
  await theNight(all, box);
  await twoCameras(all);
  const decided = await aPersonDecides(all);
  await groupOfLamps(all);
  await rights(all, lamp, box);
  await powerFails(all, lamp, decided);
  chapter("The end");
  say(`Now with your own home: npm start in one terminal, npx dmgw devices in another. npx dmgw --help lists the rest, and the README has
    a tour of ten minutes.`);
}

async function fail(error: unknown): Promise<void> {
  overheard.tell();
  console.error(`\nThe demo failed: ${reasonOf(error)}`);
  for (const violation of stage.server.violations) console.error(`The DM server saw: ${violation}`);
  await leave(1);
}

async function leave(code: number): Promise<void> {
  await stage.clear().catch((error: unknown) => console.error(`The demo could not tidy up: ${String(error)}`));
  process.exit(code);
}
