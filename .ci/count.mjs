// The closing line of the gate: node count.mjs <failed steps> <vitest's JSON reports...>
import { existsSync, readFileSync } from "node:fs";

const [failedSteps, ...files] = process.argv.slice(2);
const reports = files.filter((file) => existsSync(file)).map((file) => JSON.parse(readFileSync(file, "utf8")));
const sum = (key) => reports.reduce((total, report) => total + report[key], 0);
const passed = sum("numPassedTests");
const skipped = sum("numPendingTests") + sum("numTodoTests");
// A file that could not even be loaded has no tests of its own to count.
const broken = reports
  .flatMap((r) => r.testResults)
  .filter((f) => f.status === "failed" && f.assertionResults.length === 0);
const failed = sum("numFailedTests") + broken.length;

const steps = Number(failedSteps);

if (steps > 0) console.log(`\n${steps} of the steps above failed`);
if (skipped > 0) console.log(`${skipped} tests were skipped`);
console.log(`dmgw: ${passed} passed, ${Math.max(failed, steps > 0 ? 1 : 0)} failed`);
process.exitCode = failed > 0 || steps > 0 || passed === 0 ? 1 : 0;
