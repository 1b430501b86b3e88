import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { DmError, Status, reasonOf } from "../../tree/errors.ts";
import type { Clock, Log } from "../../tree/ports.ts";

/** Whole paths: the search path of whoever started us decides nothing. */
const places = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip", "/run/current-system/sw/bin/ip"];
const longestRunMs = 5000;
/** Of output: ten thousand rows of the neighbour table. */
const mostOctets = 1 << 20;
const longestLine = 4096;
const firstRestartMs = 1000;
const lastRestartMs = 600_000;
/** One that has run for so long has not failed to start. */
const settledMs = 60_000;
/** Nothing of our environment, which may hold secrets. */
const options = { env: { LC_ALL: "C" }, stdio: ["ignore", "pipe", "ignore"] as ["ignore", "pipe", "ignore"] };

/** Where `ip` of iproute2 or busybox is on this machine. */
export function ipProgram(): string | undefined {
  return places.find((place) => existsSync(place));
}

/**
 * Runs `ip` to its end, for 5 s at most. Resolves with the lines that it printed; of very many only the first.
 * @throws DmError 503 when it cannot be run or says no, 504 when it does not end.
 */
export function runIp(program: string, args: readonly string[], clock: Clock): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, options);
    const parts: Buffer[] = [];
    let octets = 0;
    let late = false;
    const end = () => {
      child.kill("SIGKILL");
      // Whoever else holds the other end of the pipe is not waited for.
      child.stdout.destroy();
    };
    const cancel = clock.after(longestRunMs, () => {
      late = true;
      end();
    });
    child.stdout.on("data", (part: Buffer) => {
      if (octets <= mostOctets) parts.push(part);
      octets += part.length;
      if (octets > mostOctets) end();
    });
    child.on("error", (cause) => {
      cancel();
      reject(new DmError(Status.unavailable, `${program} cannot be run: ${cause.message}`, { cause }));
    });
    child.on("close", (code) => {
      cancel();
      if (late) return reject(new DmError(Status.gatewayTimeout, `${program} does not end`));
      if (code !== 0 && octets <= mostOctets)
        return reject(new DmError(Status.unavailable, `${program} ${args.join(" ")} ended with ${code ?? "a signal"}`));
      resolve(Buffer.concat(parts).toString("latin1").split("\n"));
    });
  });
}

/** What the kernel says of links, addresses and neighbours, in the moment it happens. */
export interface KernelNews {
  /** Is anything heard now? */
  readonly heard: () => boolean;
  /** Resolves when the program has ended. */
  stop(): Promise<void>;
}

export interface NewsEvents {
  /** One line of `ip -o monitor link address neigh`. */
  line(line: string): void;
  /** It listens from now on, and something may have been missed before. */
  began(): void;
}

/** Keeps `ip monitor` running. Where it cannot (busybox has none) it is tried again now and then, and nothing is heard meanwhile. */
export function hearKernel(
  program: string,
  { clock, log, random }: { clock: Clock; log: Log; random: () => number },
  events: NewsEvents,
): KernelNews {
  let gap = firstRestartMs;
  let stopped = false;
  let said = false;
  let cancel = () => {};
  let end = () => {};
  let ended: Promise<void> = Promise.resolve();
  let heard = false;

  const start = () => {
    const began = clock.monotonic();
    const child = spawn(program, ["-o", "monitor", "link", "address", "neigh"], options);
    end = () => child.kill("SIGTERM");
    let rest = "";
    child.stdout.setEncoding("latin1").on("data", (part: string) => {
      const lines = (rest + part).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > longestLine) rest = "";
      for (const line of lines) if (!stopped && line.length <= longestLine) events.line(line);
    });
    child.on("spawn", () => {
      heard = true;
      if (!stopped) events.began();
    });
    ended = new Promise((resolve) => {
      let isOver = false;
      const over = (why: string) => {
        if (isOver) return;
        isOver = true;
        heard = false;
        end = () => {};
        resolve();
        if (stopped) return;
        if (!said) log.info(`changes of the network are not heard at once, it is looked every few seconds: ${why}`);
        said = true;
        if (clock.monotonic() - began >= settledMs) gap = firstRestartMs;
        cancel = clock.after(gap * (0.5 + random() / 2), start);
        gap = Math.min(gap * 4, lastRestartMs);
      };
      child.on("error", (reason) => over(reasonOf(reason)));
      child.on("close", (code) => over(`${program} monitor ended with ${code ?? "a signal"}`));
    });
  };
  start();

  return {
    heard: () => heard,
    stop() {
      stopped = true;
      cancel();
      end();
      return ended;
    },
  };
}
