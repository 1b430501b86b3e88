export interface ServerEvent {
  readonly event: string;
  readonly id: string;
  readonly data: unknown;
}

/** Reads server-sent events from the lines of a stream; comments and blocks without data are passed over. */
export async function* eventsOf(lines: AsyncIterable<string>): AsyncGenerator<ServerEvent> {
  let [event, id, data] = ["message", "", ""];
  for await (const line of lines) {
    if (line === "") {
      if (data !== "") yield { event, id, data: JSON.parse(data) };
      [event, data] = ["message", ""];
    } else if (line.startsWith("event: ")) event = line.slice(7);
    else if (line.startsWith("id: ")) id = line.slice(4);
    else if (line.startsWith("data: ")) data += line.slice(6);
  }
}
