// Time, chance of the outside, and errors: each comes from one place, so that a test can be instant and an answer can be right.
import { expect, test } from "vitest";
import ts from "typescript";
import { importsOf, placeOf, source, sources, walk, type Source } from "./sources.ts";

/** The only files that may ask the machine for the time, start timers, touch the process or print. */
const mayTouchTheMachine =
  /^(daemon\/(main|clock|log|systemd)\.ts|config\/(load|generate)\.ts|daemon\/cli\/[^/]+\.ts|test\/.*)$/;
const machineModules = /^(node:)?(process|timers|timers\/promises|console|perf_hooks)$/;
/** Of the process, what a lock needs: a number. It neither steers the process nor tells who runs it. */
const harmless = new Set(["pid"]);
const machineNames = new Set(["process", "console", "setTimeout", "setInterval", "performance"]);

const plainErrors = /^(Aggregate|Eval|Range|Reference|Syntax|Type|URI)?Error$/;

/** Uses of the machine's time, timers, process or console. */
function machineUses(file: Source): readonly string[] {
  if (mayTouchTheMachine.test(file.path)) return [];
  const found = importsOf(file)
    .filter((i) => machineModules.test(i.to) && !(i.names.length > 0 && i.names.every((name) => harmless.has(name))))
    .map((i) => `${file.path}:${i.line} imports ${i.to}`);
  walk(file.ast, (node) => {
    const use = machineUse(node);
    if (use !== undefined) found.push(`${placeOf(file, node)} uses ${use}`);
  });
  return found;
}

function machineUse(node: ts.Node): string | undefined {
  if (ts.isIdentifier(node) && machineNames.has(node.text) && isFreeName(node)) return node.text;
  if (ts.isPropertyAccessExpression(node)) {
    const text = `${node.expression.getText()}.${node.name.text}`;
    if (text === "Date.now" || text === "AbortSignal.timeout") return text;
    if (node.expression.getText() === "globalThis" && machineNames.has(node.name.text)) return text;
  }
  const makesDate = (ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === "Date";
  return makesDate && (node.arguments?.length ?? 0) === 0 ? "the time of day (Date without an argument)" : undefined;
}

/** A name that stands for the global of that name: not a member (`socket.setTimeout`), not a key, not a declaration of our own. */
function isFreeName(name: ts.Identifier): boolean {
  const { parent } = name;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === name;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) return false;
  const names = (parent as { name?: ts.Node }).name === name;
  return !names && !ts.isTypeReferenceNode(parent) && !ts.isQualifiedName(parent);
}

/** Errors that carry neither a status nor a promise about who answers them. */
function plainErrorUses(file: Source): readonly string[] {
  if (file.path === "tree/errors.ts" || file.path.startsWith("test/")) return [];
  const found: string[] = [];
  walk(file.ast, (node) => {
    const made = ts.isNewExpression(node) || ts.isCallExpression(node) || ts.isExpressionWithTypeArguments(node);
    if (!made || !ts.isIdentifier(node.expression) || !plainErrors.test(node.expression.text)) return;
    if (ts.isExpressionWithTypeArguments(node) && !isExported(node.parent.parent)) return;
    found.push(`${placeOf(file, node)} makes a plain ${node.expression.text}`);
  });
  return found;
}

/** A class that stays in its file is caught there. */
function isExported(node: ts.Node): boolean {
  return ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some((m) => m.kind === ts.SyntaxKind.ExportKeyword);
}

test("time, timers, the process and the console are reached through a few named files only", () => {
  expect(sources().flatMap(machineUses)).toEqual([]);
});

test("every error is one of tree/errors.ts", () => {
  expect(sources().flatMap(plainErrorUses)).toEqual([]);
});

test.each([
  "const t = Date.now();",
  "const t = new Date();",
  "const t = Date();",
  "setTimeout(run, 5);",
  "const wait = { setInterval };",
  "globalThis.setTimeout(run, 5);",
  'console.log("x");',
  "const env = process.env.HOME;",
  "const t = performance.now();",
  "await fetch(url, { signal: AbortSignal.timeout(5) });",
  'import { setTimeout as sleep } from "node:timers/promises";',
  'import { env, pid } from "node:process";',
  'import process from "node:process";',
])("the rule about the machine refuses: %s", (text) => {
  expect(machineUses(source("daemon/devices/bridge.ts", text))).toHaveLength(1);
});

test("the rule about the machine allows a given date, a socket's own time-out and comments", () => {
  const text =
    "// Date.now() is not asked\nconst d = new Date(clock.now()); socket.setTimeout(5); const o = { process: 1 }; o.process; import { pid } from 'node:process';";
  expect(machineUses(source("daemon/devices/bridge.ts", text))).toEqual([]);
  expect(machineUses(source("daemon/clock.ts", "setTimeout(run, Date.now());"))).toEqual([]);
});

test.each([
  'throw new Error("x");',
  'throw TypeError("x");',
  'reject(new RangeError("x"));',
  "export class Mine extends Error {}",
])("the rule about errors refuses: %s", (text) => {
  expect(plainErrorUses(source("daemon/devices/bridge.ts", text))).toHaveLength(1);
});

test("the rule about errors allows ours, and asking what an error is", () => {
  const text =
    'throw new DmError(404, "x"); if (e instanceof Error) throw new ProtocolError(e.message); class Own extends Error {}';
  expect(plainErrorUses(source("daemon/devices/bridge.ts", text))).toEqual([]);
});
