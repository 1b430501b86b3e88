import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import { DmError, ProtocolError, Status, reasonOf } from "../../tree/errors.ts";
import type { Clock } from "../../tree/ports.ts";
import { childOf, elementsOf, readXml, textOf } from "../../tree/wire/xml.ts";
import type { Element } from "../../tree/wire/xml.ts";
import { printable } from "./text.ts";

const limits = { ms: 2000, bytes: 65_536, headerBytes: 8192, url: 512, field: 256 } as const;
const atOnce = 4;
const waitingAtMost = 128;

/** What a UPnP device says of itself (UDA 1.1 2.3). Each is there when the device gives it, for people's eyes. */
export interface Description {
  readonly deviceType?: string;
  readonly friendlyName?: string;
  readonly manufacturer?: string;
  readonly modelName?: string;
  readonly modelNumber?: string;
  readonly serialNumber?: string;
}

const fields = ["deviceType", "friendlyName", "manufacturer", "modelName", "modelNumber", "serialNumber"] as const;

/**
 * Where the description may be fetched: `location` when it is a plain http URL that names `sender` (IPv4) as its host, else
 * undefined. A stranger must not make the gateway talk to anyone but that stranger.
 */
export function descriptionUrl(location: string, sender: string): URL | undefined {
  if (location.length > limits.url || !URL.canParse(location)) return undefined;
  const url = new URL(location);
  const plain = url.protocol === "http:" && url.username === "" && url.password === "" && url.port !== "0";
  return plain && url.hostname === sender ? url : undefined;
}

/** Fetches descriptions, a few at a time, one at a time from each device. */
export interface Descriptions {
  /**
   * The description of the device `uuid` ("uuid:…", lower case) at `url`, as descriptionUrl gave it; asked from the address `from`.
   * @throws DmError 503 too many are waiting, or it was stopped; 504 slower than 2 s; 502 refused, redirected, larger than 64 KB, or
   * not a description.
   */
  describe(uuid: string, url: URL, from: string): Promise<Description>;
  /** Ends those under way. */
  stop(): void;
}

interface Job {
  readonly host: string;
  readonly run: () => Promise<void>;
  readonly refuse: (reason: DmError) => void;
}

export function descriptions(clock: Clock): Descriptions {
  const waiting: Job[] = [];
  const busy = new Set<string>();
  const stopping = new AbortController();

  const next = () => {
    while (busy.size < atOnce) {
      const at = waiting.findIndex(({ host }) => !busy.has(host));
      const [job] = at < 0 ? [] : waiting.splice(at, 1);
      if (job === undefined) return;
      busy.add(job.host);
      void job.run().finally(() => {
        busy.delete(job.host);
        next();
      });
    }
  };

  return {
    describe(uuid, url, from) {
      return new Promise((resolve, reject) => {
        const tooMany = waiting.length >= waitingAtMost;
        if (tooMany || stopping.signal.aborted)
          return reject(new DmError(Status.unavailable, tooMany ? "too many descriptions to fetch" : "stopped"));
        waiting.push({
          host: url.hostname,
          refuse: reject,
          run: () =>
            fetchBytes(url, from, clock, stopping.signal)
              .then((bytes) => resolve(readDescription(bytes, uuid)))
              .catch(reject),
        });
        next();
      });
    },
    stop() {
      stopping.abort();
      for (const { refuse } of waiting.splice(0)) refuse(new DmError(Status.unavailable, "stopped"));
    },
  };
}

function fetchBytes(url: URL, from: string, clock: Clock, stopping: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = get(url, {
      // No agent: no connection is kept, and none is shared.
      agent: false,
      localAddress: from,
      maxHeaderSize: limits.headerBytes,
      signal: stopping,
      headers: { accept: "text/xml", "accept-encoding": "identity" },
    });
    const end = (settle: () => void) => {
      cancel();
      settle();
      request.destroy();
    };
    const fail = (status: number, why: string) => end(() => reject(new DmError(status, `${url.host}: ${why}`)));
    // The whole exchange, not a silence in it: a device that sends an octet now and then is cut off as well.
    const cancel = clock.after(limits.ms, () => fail(Status.gatewayTimeout, `no description within ${limits.ms} ms`));
    request.on("error", (error) => fail(Status.badAnswer, error.message));
    request.on("response", (response: IncomingMessage) => {
      if (response.statusCode !== 200) return fail(Status.badAnswer, `answered ${response.statusCode ?? "nothing"}`);
      const parts: Buffer[] = [];
      let size = 0;
      response.on("data", (part: Buffer) => {
        size += part.length;
        if (size > limits.bytes) fail(Status.badAnswer, `a description of more than ${limits.bytes} octets`);
        else parts.push(part);
      });
      response.on("error", (error) => fail(Status.badAnswer, error.message));
      response.on("end", () => end(() => resolve(Buffer.concat(parts))));
      response.on("close", () => fail(Status.badAnswer, "the description broke off"));
    });
  });
}

/**
 * Reads a device description: of its devices, root or embedded, the one whose UDN is `uuid`, else the root.
 * @throws DmError 502 when it is none.
 */
export function readDescription(bytes: Uint8Array, uuid: string): Description {
  const root = rootDevice(bytes);
  const device = deviceOf(root, uuid) ?? root;
  const found: Partial<Record<keyof Description, string>> = {};
  for (const field of fields) {
    const element = childOf(device, field);
    const text = element === undefined ? "" : printable(textOf(element).trim(), limits.field);
    if (text !== "") found[field] = text;
  }
  return found;
}

function rootDevice(bytes: Uint8Array): Element {
  let document: Element;
  try {
    document = readXml(bytes, { bytes: limits.bytes, elements: 2000, depth: 16, attributes: 16 });
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw new DmError(Status.badAnswer, `not a description: ${reasonOf(cause)}`, { cause });
  }
  const device = document.name === "root" ? childOf(document, "device") : undefined;
  if (device === undefined) throw new DmError(Status.badAnswer, "not a description: there is no device in it");
  return device;
}

/** The depth is bounded by the reader of the XML. */
function deviceOf(device: Element, uuid: string): Element | undefined {
  const udn = childOf(device, "UDN");
  if (udn !== undefined && textOf(udn).trim().toLowerCase() === uuid) return device;
  const list = childOf(device, "deviceList");
  for (const child of list === undefined ? [] : elementsOf(list)) {
    const found = child.name === "device" ? deviceOf(child, uuid) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
