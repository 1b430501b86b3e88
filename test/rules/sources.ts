// What every rule looks at: our sources, parsed, and what they import.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The folders that hold TypeScript; what is not below them is configuration of tools. */
export const sourceFolders = ["tree", "adapters", "config", "daemon", "test"] as const;

export interface Source {
  /** From the root of the project, with slashes: "tree/path.ts". */
  readonly path: string;
  readonly text: string;
  readonly ast: ts.SourceFile;
}

export interface Import {
  /** A path from the root for our own files, else the bare name: "node:fs", "yaml". */
  readonly to: string;
  readonly own: boolean;
  /** `import type`: gone when the program runs. */
  readonly typeOnly: boolean;
  /** Those that it takes by name; none for a default, a namespace or import(). */
  readonly names: readonly string[];
  readonly line: number;
}

/** A file as a rule sees it; rules are tried on such samples, so that a rule that can never fail is noticed. */
export function source(path: string, text: string): Source {
  return { path, text, ast: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
}

let parsed: readonly Source[] | undefined;

/** Every TypeScript file of ours; read and parsed once. */
export function sources(): readonly Source[] {
  parsed ??= sourceFolders
    .flatMap((folder) => filesBelow(folder))
    .filter((path) => path.endsWith(".ts"))
    .map((path) => source(path, readFileSync(join(root, path), "utf8")));
  return parsed;
}

/** Every file below a folder of the project, as paths from its root. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.join(entry.parentPath.slice(root.length + 1), entry.name))
    .sort();
}

/** Calls `visit` for a node and everything below it. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** "tree/path.ts:12": where in the file a node begins. */
export function placeOf(file: Source, node: ts.Node): string {
  return `${file.path}:${lineOf(file, node)}`;
}

/** Everything that a file imports, exports from elsewhere, loads with import(), or names as a type with import(). */
export function importsOf(file: Source): readonly Import[] {
  const found: Import[] = [];
  walk(file.ast, (node) => {
    const named = specifierOf(node);
    if (named === undefined) return;
    const own = named.specifier.startsWith(".");
    const to = own ? posix.join(posix.dirname(file.path), named.specifier) : named.specifier;
    found.push({ to, own, typeOnly: named.typeOnly, names: namesOf(node), line: lineOf(file, node) });
  });
  return found;
}

function lineOf(file: Source, node: ts.Node): number {
  return file.ast.getLineAndCharacterOfPosition(node.getStart(file.ast)).line + 1;
}

function namesOf(node: ts.Node): readonly string[] {
  const clause = ts.isImportDeclaration(node) ? node.importClause : undefined;
  const bindings = clause?.name === undefined ? clause?.namedBindings : undefined;
  if (bindings === undefined || !ts.isNamedImports(bindings)) return [];
  return bindings.elements.map((element) => (element.propertyName ?? element.name).text);
}

function specifierOf(node: ts.Node): { specifier: string; typeOnly: boolean } | undefined {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return { specifier: node.moduleSpecifier.text, typeOnly };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments;
    if (argument !== undefined && ts.isStringLiteral(argument)) return { specifier: argument.text, typeOnly: false };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return { specifier: node.argument.literal.text, typeOnly: true };
  }
  return undefined;
}
