import type { PartReport, ServerReport } from "../gateway.ts";
import { ago } from "./print.ts";

/** One part of the daemon as a row: name, state, since when, the last error and whatever else it says. */
export function partRow(name: string, part: PartReport, more?: string): string[] {
  return [name, part.state, ago(part.since), [part.error, part.detail, more].filter((text) => text).join("; ")];
}

/** A server and its channels. */
export function serverRows(server: ServerReport): string[][] {
  const { lastSession: last, outbox } = server;
  const detail = [
    server.error,
    last === undefined
      ? "no session yet"
      : `last session ${last.ok ? "good" : `failed: ${last.error ?? "no reason given"}`}`,
    outbox.length === 0
      ? "nothing waits to be sent"
      : `${outbox.length} waiting to be sent, the oldest ${ago(outbox.oldest)}`,
    server.next === undefined
      ? undefined
      : `next ${server.state === "waiting" ? "try" : "session"} ${ago(server.next)}`,
  ];
  const row = [
    `server ${server.id}`,
    server.state,
    ago(last?.at),
    detail.filter((text) => text !== undefined).join("; "),
  ];
  const channels = Object.entries(server.channel).map(([name, part]) => partRow(`  channel ${name}`, part));
  return [row, ...channels];
}
