import { DmError, Status } from "../../tree/errors.ts";
import type { Answer, Route } from "./ask.ts";
import { problemOf } from "./problem.ts";

export interface Found {
  readonly route: Route;
  readonly id: string;
  readonly rest: string;
}

/** The route of a path, as it stands in the request line: still percent-encoded, so that an escaped slash stays within its segment. @throws DmError 404. */
export function findRoute(routes: readonly Route[], path: string): Found {
  for (const route of routes) {
    const found = match(route, path);
    if (found !== undefined) return found;
  }
  const paths = routes.map((route) => `/v1/${route.path.replace(":id", "<id>").replace("*", "<uri>")}`);
  throw new DmError(Status.notFound, `there is no ${path.slice(0, 100)} here; there are ${paths.join(", ")}`);
}

function match(route: Route, path: string): Found | undefined {
  if (!path.startsWith("/v1/")) return undefined;
  const given = path.slice("/v1/".length).split("/");
  const wanted = route.path.split("/");
  let id = "";
  for (const [place, want] of wanted.entries()) {
    // "*" takes nothing as well: the root of the tree.
    if (want === "*") return { route, id, rest: nodeAddress(given.slice(place).join("/")) };
    const have = given[place];
    if (have === undefined || have === "") return undefined;
    if (want === ":id") id = decoded(have);
    else if (have !== want) return undefined;
  }
  // A slash at the end is forgiven.
  const left = given.slice(wanted.length);
  return left.length === 0 || (left.length === 1 && left[0] === "") ? { route, id, rest: "" } : undefined;
}

/** "" is the root, whether it was written as "", "." or "./". */
function nodeAddress(rest: string): string {
  return rest === "." || rest === "./" ? "" : rest;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new DmError(Status.badRequest, `"${segment.slice(0, 40)}" holds a broken percent escape`);
  }
}

/** The query as names and values. @throws DmError 400 for names that this route does not know: a misspelt one must not be ignored. */
export function queryOf(search: string, known: readonly string[]): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(search)) {
    if (!known.includes(name)) {
      const expected = known.length === 0 ? "nothing is expected" : `expected ${known.map((k) => `?${k}`).join(", ")}`;
      throw new DmError(Status.badRequest, `?${name.slice(0, 40)} is not known here: ${expected}`);
    }
    query.set(name, value);
  }
  return query;
}

export function wrongMethod(route: Route, method: string): Answer {
  const allow = [...route.on.keys()].join(", ");
  const error = new DmError(Status.notAllowed, `${method} is not for /v1/${route.path}: it takes ${allow}`);
  return { ...problemOf(error), headers: { allow } };
}
