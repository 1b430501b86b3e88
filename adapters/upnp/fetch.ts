import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import { DmError, Status, reasonOf } from "../../tree/errors.ts";
import type { Clock } from "../../tree/ports.ts";
import { limits as descriptionLimits } from "./description.ts";
import { faultOf } from "./faults.ts";
import type { Way } from "./location.ts";

const limits = { ms: 2000, bytes: descriptionLimits.bytes, headerBytes: 8192, atOnce: 4, waiting: 512 } as const;

/** Fetches documents, a few at a time, one at a time from each host. */
export interface Fetcher {
  /**
   * The document there, by one plain GET (UDA 1.1 2.11). `signal` ends it, waiting or under way.
   * @throws DmError 503 nobody answers, too many wait, or it was stopped; 504 slower than 2 s, or the signal; 502 refused, redirected,
   * encoded, broken off, or larger than 64 kB.
   */
  fetch(way: Way, signal?: AbortSignal): Promise<Uint8Array>;
  /** Ends those that wait or are under way; resolves when their connections are closed. */
  stop(): Promise<void>;
}

interface Job {
  readonly host: string;
  readonly run: () => Promise<void>;
  readonly refuse: (reason: DmError) => void;
}

export function fetcher(clock: Clock): Fetcher {
  const waiting = new Set<Job>();
  const busy = new Set<string>();
  const running = new Map<Job, Promise<void>>();
  let stopped = false;

  const next = () => {
    for (const job of waiting) {
      if (busy.size >= limits.atOnce) return;
      if (busy.has(job.host)) continue;
      waiting.delete(job);
      busy.add(job.host);
      const run = job.run().finally(() => {
        busy.delete(job.host);
        running.delete(job);
        next();
      });
      running.set(job, run);
    }
  };

  return {
    fetch: (way, signal) =>
      new Promise((resolve, reject) => {
        if (stopped) return reject(unavailable("stopped"));
        if (waiting.size >= limits.waiting) return reject(unavailable("too many descriptions to fetch"));
        const ends = new AbortController();
        const giveUp = () => job.refuse(gaveUp(signal));
        const job: Job = {
          host: way.address,
          run: () => fetchBytes(way, clock, ends.signal).then(resolve, reject).finally(release),
          refuse(reason) {
            // One that waits never runs; one that runs ends with this reason.
            if (waiting.delete(job)) release();
            reject(reason);
            ends.abort(reason);
          },
        };
        const release = () => signal?.removeEventListener("abort", giveUp);
        if (signal?.aborted) return reject(gaveUp(signal));
        signal?.addEventListener("abort", giveUp, { once: true });
        waiting.add(job);
        next();
      }),
    async stop() {
      stopped = true;
      for (const job of [...waiting, ...running.keys()]) job.refuse(unavailable("stopped"));
      await Promise.all(running.values());
    },
  };
}

function unavailable(why: string): DmError {
  return new DmError(Status.unavailable, why);
}

function gaveUp(signal: AbortSignal | undefined): DmError {
  return new DmError(Status.gatewayTimeout, `gave up waiting for the description: ${reasonOf(signal?.reason)}`);
}

function fetchBytes({ url, from }: Way, clock: Clock, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const request = get(url, {
      // No agent: no connection is kept, and none is shared.
      agent: false,
      localAddress: from,
      maxHeaderSize: limits.headerBytes,
      signal,
      headers: { accept: "text/xml, application/xml", "accept-encoding": "identity" },
    });
    const end = (settle: () => void) => {
      cancel();
      settle();
      request.destroy();
    };
    const fail = (status: number, why: string) => end(() => reject(new DmError(status, `${url.host}: ${why}`)));
    const bad = (why: string) => fail(Status.badAnswer, why);
    // The whole exchange, not a silence in it: a device that sends an octet now and then is cut off as well.
    const cancel = clock.after(limits.ms, () => fail(Status.gatewayTimeout, `no description within ${limits.ms} ms`));
    request.on("error", (error) => end(() => reject(faultOf(error, url.host))));
    request.on("response", (response: IncomingMessage) => {
      const { statusCode, headers } = response;
      if (statusCode !== 200) return bad(`answered ${statusCode ?? "nothing"}`);
      // Nothing is unpacked: what is small on the line stays small.
      if (!/^(identity)?$/i.test(headers["content-encoding"] ?? "")) return bad("the description is packed");
      const parts: Buffer[] = [];
      let size = 0;
      response.on("data", (part: Buffer) => {
        size += part.length;
        if (size > limits.bytes) bad(`a description of more than ${limits.bytes} octets`);
        else parts.push(part);
      });
      response.on("error", (error) => end(() => reject(faultOf(error, url.host))));
      response.on("end", () => end(() => resolve(Buffer.concat(parts))));
      response.on("close", () => bad("the description broke off"));
    });
  });
}
