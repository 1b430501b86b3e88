import { Agent, request } from "node:http";

/** The local API as a caller that outlives the daemon sees it. */
export interface LocalApi {
  /** undefined: the daemon was gone before it had answered to the end, and nobody knows what it did. */
  send(method: string, path: string, body?: unknown): Promise<Reply | undefined>;
  close(): void;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** One connection to the control socket, kept open: callers that should speak at the same time need one each. */
export function openLocalApi(socketPath: string): LocalApi {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    close: () => agent.destroy(),
    send: (method, path, body) =>
      new Promise((resolve) => {
        const headers = { "content-type": "application/json" };
        const asked = request({ socketPath, agent, method, path, headers }, (answer) => {
          let text = "";
          answer.setEncoding("utf8").on("data", (part: string) => (text += part));
          answer.once("error", () => resolve(undefined));
          answer.once("close", () => {
            if (!answer.complete) resolve(undefined);
            else resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) as unknown });
          });
        });
        asked.once("error", () => resolve(undefined));
        asked.end(body === undefined ? undefined : JSON.stringify(body));
      }),
  };
}
