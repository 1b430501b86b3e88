// npm run bench [-- NAME…]: prints tables. Figures are for comparing on one machine, never a pass or fail.
import { cpus, totalmem } from "node:os";
import CliTable from "cli-table3";
import { deepGetBench } from "./deep-get.ts";
import { discoveryBench } from "./discovery.ts";
import { identityBench } from "./identity.ts";
import { megabytes } from "./measure.ts";
import type { Table } from "./measure.ts";
import { flashBench, startBench } from "./process.ts";
import { sessionsBench } from "./sessions.ts";
import { syncmlBench } from "./syncml.ts";
import { treeBench } from "./tree.ts";

const benches: ReadonlyMap<string, () => Promise<readonly Table[]>> = new Map([
  ["tree", treeBench],
  ["deep-get", deepGetBench],
  ["syncml", syncmlBench],
  ["sessions", sessionsBench],
  ["start", startBench],
  ["flash", flashBench],
  ["identity", identityBench],
  ["discovery", discoveryBench],
]);

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !benches.has(name));
if (unknown.length > 0) {
  console.error(`there is no bench ${unknown.join(", ")}; there are ${[...benches.keys()].join(", ")}`);
  process.exit(2);
}

console.log(
  `node ${process.version}, ${cpus().length} x ${cpus()[0]?.model.trim()}, ${megabytes(totalmem())} of memory`,
);
for (const [name, bench] of benches) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  for (const { caption, columns, rows } of await bench()) {
    const table = new CliTable({
      head: [...columns],
      style: { head: [], border: [], compact: true },
      colAligns: columns.map((_, n) => (n === 0 ? "left" : "right")),
    });
    table.push(...rows.map((row) => [...row]));
    console.log(`\n${name}: ${caption}\n${table.toString()}`);
  }
}
