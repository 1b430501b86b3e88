import { fakeClock } from "../fakes/clock.ts";
import { fakeStore } from "../fakes/store.ts";
import { Home } from "./home.ts";
import type { HomePlan } from "./home.ts";
import { kindNames } from "./kinds.ts";
import type { KindName } from "./kinds.ts";
import { judge } from "./oracle.ts";
import type { Finding } from "./oracle.ts";
import { random } from "./random.ts";

/** The home of this number: `size` devices of these kinds. */
export function planOf(seed: number, size: number, kinds: readonly KindName[] = kindNames): HomePlan {
  const chance = random("plan", seed);
  const among = kinds as readonly [KindName, ...KindName[]];
  const devices = Array.from({ length: size }, (_, n) => ({ kind: chance.pick(among), seed: seed * 1000 + n }));
  return { seed, devices, restarts: true };
}

/** Lives `days` of it; of each day what is wrong, and of the last what nobody can decide. */
export async function lived(plan: HomePlan, days: number): Promise<readonly (Finding & { readonly day: number })[]> {
  const home = new Home(plan, fakeStore(), fakeClock());
  const findings: (Finding & { readonly day: number })[] = [];
  for (let day = 1; day <= days; day++) {
    await home.day();
    const found = judge(home).filter(({ what }) => what !== "undecided" || day === days);
    findings.push(...found.map((finding) => ({ ...finding, day })));
  }
  return findings;
}

/** The smallest home that still shows something like `wanted`, as far as leaving devices and days out gets within `ms`. */
export async function shrunk(
  plan: HomePlan,
  days: number,
  wanted: (finding: Finding) => boolean,
  ms = 5000,
): Promise<{ readonly plan: HomePlan; readonly day: number; readonly story: string }> {
  const until = performance.now() + ms;
  const first = async (one: HomePlan) => (await lived(one, days)).find(wanted);
  let best = { plan, day: days, story: "" };
  const better = async (next: HomePlan): Promise<boolean> => {
    if (performance.now() > until) return false;
    const found = await first(next);
    if (found !== undefined) best = { plan: next, day: found.day, story: found.story };
    return found !== undefined;
  };
  await better(plan);
  await better({ ...best.plan, restarts: false });
  for (let size = Math.ceil(plan.devices.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.plan.devices.length && performance.now() < until;) {
      const devices = best.plan.devices.filter((_, n) => n < at || n >= at + size);
      if (devices.length === 0 || !(await better({ ...best.plan, devices }))) at += size;
    }
  }
  return best;
}
