// How files are named, cut and exported.
import { expect, test } from "vitest";
import ts from "typescript";
import { placeOf, source, sources, type Source } from "./sources.ts";

const maxLines = 300;
/** Words that say nothing about what a thing is. */
const empty = new Set(["manager", "handler", "helper", "util", "utils", "context", "base", "impl"]);

/** A file that is too long and does not say why on its first line. */
function tooLong(file: Source): readonly string[] {
  const lines = file.text.trimEnd().split("\n").length;
  if (lines <= maxLines || /^\/\/ Over 300 lines: ./.test(file.text)) return [];
  return [`${file.path} has ${lines} lines: split it, or begin it with "// Over 300 lines: <the reason>"`];
}

/** Default exports, and files that only pass on what others export. */
function exportsOfOthers(file: Source): readonly string[] {
  return file.ast.statements.flatMap((statement) => {
    if (ts.isExportAssignment(statement) || isDefault(statement))
      return [`${placeOf(file, statement)} is a default export`];
    const passesOn = ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined;
    return passesOn ? [`${placeOf(file, statement)} passes on what another file exports`] : [];
  });
}

/** Names of files and of what they export that carry an empty word. */
function emptyNames(file: Source): readonly string[] {
  const names = [
    ...file.path.replace(/\.test\.ts$|\.ts$/, "").split("/"),
    ...file.ast.statements.flatMap(exportedNames),
  ];
  // DNS-SD and UPnP have services of their own: a serviceType is one of theirs, a DeviceService would be ours.
  const isEmpty = (words: readonly string[]) => words.some((word) => empty.has(word)) || words.at(-1) === "service";
  return names.filter((name) => isEmpty(wordsOf(name))).map((name) => `${file.path}: ${name}`);
}

/** File names that are not kebab-case. */
function oddFileNames(file: Source): readonly string[] {
  const name = file.path.split("/").at(-1) ?? "";
  return /^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(name) ? [] : [file.path];
}

/** Work that was put off in the source instead of being done. */
function putOff(file: Source): readonly string[] {
  const lines = file.path === "test/rules/shape.test.ts" ? [] : file.text.split("\n");
  return lines.flatMap((line, at) => (/\b(TODO|FIXME|XXX|HACK)\b/.test(line) ? [`${file.path}:${at + 1}${line}`] : []));
}

function isDefault(statement: ts.Statement): boolean {
  return modifiersOf(statement).includes(ts.SyntaxKind.DefaultKeyword);
}

function modifiersOf(statement: ts.Statement): readonly ts.SyntaxKind[] {
  return ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []).map((m) => m.kind) : [];
}

function exportedNames(statement: ts.Statement): readonly string[] {
  if (
    ts.isExportDeclaration(statement) &&
    statement.exportClause !== undefined &&
    ts.isNamedExports(statement.exportClause)
  ) {
    return statement.exportClause.elements.map((element) => element.name.text);
  }
  if (!modifiersOf(statement).includes(ts.SyntaxKind.ExportKeyword)) return [];
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map((d) => d.name.getText());
  const { name } = statement as { name?: ts.Node };
  return name === undefined ? [] : [name.getText()];
}

/** "DmErrorHandler" -> dm, error, handler. */
function wordsOf(name: string): readonly string[] {
  return name.split(/[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/).map((word) => word.toLowerCase());
}

test("a file has at most 300 lines, or says on its first line why it is long", () => {
  expect(sources().flatMap(tooLong)).toEqual([]);
});

test("nothing is exported by default or passed on from another file", () => {
  expect(sources().flatMap(exportsOfOthers)).toEqual([]);
});

test("no file and no export is named with a word that says nothing", () => {
  expect(sources().flatMap(emptyNames)).toEqual([]);
});

test("files are named in kebab-case", () => {
  expect(sources().flatMap(oddFileNames)).toEqual([]);
});

test("nothing is put off in the sources", () => {
  expect(sources().flatMap(putOff)).toEqual([]);
});

test("the rule about length counts lines and takes a reason", () => {
  const long = "x;\n".repeat(301);
  expect(tooLong(source("tree/a.ts", long))).toHaveLength(1);
  expect(tooLong(source("tree/a.ts", `// Over 300 lines: one table\n${long}`))).toEqual([]);
  expect(tooLong(source("tree/a.ts", "x;\n".repeat(300)))).toEqual([]);
});

test.each([
  "export default 1;",
  "export default function f() {}",
  'export * from "./a.ts";',
  'export { a } from "./a.ts";',
])("the rule about exports refuses: %s", (text) => {
  expect(exportsOfOthers(source("tree/a.ts", text))).toHaveLength(1);
});

test.each([
  ["tree/a.ts", "export class DeviceManager {}"],
  ["tree/a.ts", "export const pathUtils = 1, b = 2;"],
  ["tree/a.ts", "export interface XMLService {}"],
  ["tree/a.ts", "const handleHelper = 1; export { handleHelper };"],
  ["tree/path-utils.ts", ""],
  ["tree/helper/path.ts", ""],
])("the rule about names refuses %s with %s", (path, text) => {
  expect(emptyNames(source(path, text))).toHaveLength(1);
});

test("the rule about names looks at whole words of exports", () => {
  expect(
    emptyNames(
      source("tree/a.ts", "export const base64 = 1, serviceType = 2; const handler = 2; export type Basement = 3;"),
    ),
  ).toEqual([]);
});

test("the rules about file names and put-off work can fail", () => {
  expect(oddFileNames(source("tree/dmAcc.ts", ""))).toHaveLength(1);
  expect(putOff(source("tree/a.ts", "// TODO: later"))).toHaveLength(1);
});
