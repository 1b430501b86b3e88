import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { AgentOptions } from "node:https";
import { X509Certificate } from "node:crypto";
import { checkServerIdentity } from "node:tls";
import { DmError, ProtocolError, Status, reasonOf } from "../../tree/errors.ts";
import { deadline } from "../../tree/ports.ts";
import type { Clock } from "../../tree/ports.ts";
import type { Exchange, Transport } from "./transport.ts";
import { HttpStatusError } from "./transport.ts";

export interface HttpOptions {
  readonly clock: Clock;
  /** PEM texts. With `ca` nothing else is trusted: an authority, or the server's own certificate, self-signed or not. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Ms. */
  readonly connectWithin?: number;
  readonly answerWithin?: number;
  /** Octets of an answer. */
  readonly answerLimit?: number;
}

const messageTypes: ReadonlySet<string> = new Set([
  "application/vnd.syncml.dm+xml",
  "application/vnd.syncml+xml",
  "application/xml",
  "text/xml",
]);
const longestPause = 24 * 3_600_000;

/** SyncML over HTTP and HTTPS, POST only (OMA DM HTTP binding). Redirects are not followed. A line that is kept alive serves the next message. */
export function openHttp(options: HttpOptions): Transport {
  const common = { keepAlive: true, maxSockets: 1, timeout: 60_000 };
  const plain = new HttpAgent(common);
  const secure = new HttpsAgent({ ...common, ...tlsOptions(options.tls) });

  return {
    async exchange(request, signal) {
      const url = new URL(request.uri);
      const send = () => post(url, url.protocol === "https:" ? secure : plain, request, options, signal);
      try {
        return await send();
      } catch (error) {
        // The server closed the idle line in the moment that we used it: nothing of the request was read.
        if (error instanceof StaleLine) return await send();
        throw error;
      }
    },
    async close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

class StaleLine extends DmError {}

function tlsOptions({ ca, cert, key }: HttpOptions["tls"]): AgentOptions {
  const own = { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
  if (ca === undefined) return { ...own, minVersion: "TLSv1.2" };
  const pinned = new Set(certificates(ca).map((one) => one.fingerprint256));
  return {
    ...own,
    minVersion: "TLSv1.2",
    ca,
    // The server's own certificate is enough, also when an authority issued it.
    allowPartialTrustChain: true,
    // Whoever has the key of the very certificate that was pinned is the server, under whatever name it is reached.
    checkServerIdentity: (host, peer) =>
      pinned.has(peer.fingerprint256) ? undefined : checkServerIdentity(host, peer),
  };
}

function certificates(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      // Node says what is wrong with it when the agent connects.
      return [];
    }
  });
}

function post(
  url: URL,
  agent: HttpAgent | HttpsAgent,
  { type, headers, body }: Exchange,
  options: HttpOptions,
  outer: AbortSignal,
): Promise<Exchange> {
  const { clock, connectWithin = 10_000, answerWithin = 60_000, answerLimit = 1_048_576 } = options;
  const limit = deadline(clock, answerWithin, outer);
  const settings: RequestOptions = {
    method: "POST",
    agent,
    headers: {
      ...Object.fromEntries(headers),
      "content-type": type,
      "content-length": body.byteLength,
      accept: type,
      "accept-charset": "utf-8",
      "cache-control": "no-store",
      "user-agent": "dmgw",
    },
  };
  const where = url.host;
  let stop = (): void => undefined;
  let cancelConnect = (): void => undefined;
  return new Promise<Exchange>((resolve, reject) => {
    const request = begin(url, settings);
    const giveUp = (reason: unknown) => {
      request.destroy();
      reject(reason instanceof Error ? reason : new DmError(Status.unavailable, reasonOf(reason)));
    };
    stop = () => giveUp(limit.signal.reason);
    if (limit.signal.aborted) stop();
    limit.signal.addEventListener("abort", stop, { once: true });
    cancelConnect = clock.after(connectWithin, () =>
      giveUp(new DmError(Status.unavailable, `cannot reach ${where} within ${connectWithin / 1000} s`)),
    );
    request.on("socket", (socket) => {
      if (request.reusedSocket || !socket.connecting) cancelConnect();
      else socket.once(url.protocol === "https:" ? "secureConnect" : "connect", cancelConnect);
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      const Kind = request.reusedSocket && error.code === "ECONNRESET" ? StaleLine : DmError;
      reject(new Kind(Status.unavailable, `cannot reach ${where}: ${error.code ?? error.message}`, { cause: error }));
    });
    request.on("response", (response) => {
      cancelConnect();
      read(response, url, answerLimit, clock).then(resolve, giveUp);
    });
    request.end(body);
  }).finally(() => {
    cancelConnect();
    limit.signal.removeEventListener("abort", stop);
    limit.clear();
  });
}

/** @throws DmError 503 when the TLS texts of the account are of no use. */
function begin(url: URL, settings: RequestOptions): ClientRequest {
  try {
    return url.protocol === "https:" ? httpsRequest(url, settings) : httpRequest(url, settings);
  } catch (cause) {
    throw new DmError(Status.unavailable, `cannot begin to talk to ${url.host}: ${reasonOf(cause)}`, { cause });
  }
}

async function read(response: IncomingMessage, url: URL, limit: number, clock: Clock): Promise<Exchange> {
  checkHead(response, url, clock);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > limit) throw new ProtocolError(`${url.host} answers with more than ${limit} octets`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw new DmError(Status.unavailable, `the line to ${url.host} dropped within the answer`, { cause: error });
  }
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(response.headers)) if (typeof value === "string") headers.set(name, value);
  return { uri: url.href, type: typeOf(response), headers, body: Buffer.concat(chunks, size) };
}

function checkHead(response: IncomingMessage, url: URL, clock: Clock): void {
  const { statusCode = 0, headers } = response;
  if (statusCode !== 200) {
    const redirect = statusCode >= 300 && statusCode < 400 ? " (redirects are not followed)" : "";
    throw new HttpStatusError(
      statusCode,
      `${url.host} answers with HTTP ${statusCode}${redirect}`,
      pause(headers["retry-after"], clock),
    );
  }
  const type = typeOf(response);
  const charset = /charset\s*=\s*"?([^\s";]+)/i.exec(headers["content-type"] ?? "")?.[1]?.toLowerCase() ?? "utf-8";
  if (!messageTypes.has(type)) throw new ProtocolError(`${url.host} answers with "${type}", which is no DM message`);
  if (!["utf-8", "utf8", "us-ascii"].includes(charset))
    throw new ProtocolError(`${url.host} answers in the charset ${charset.slice(0, 20)}; only UTF-8 is read`);
  if (!["identity", ""].includes(headers["content-encoding"] ?? ""))
    throw new ProtocolError(`${url.host} answers in an encoding that was not asked for`);
}

function typeOf({ headers }: IncomingMessage): string {
  return (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** Retry-After: seconds, or a date. Ms, at most a day. */
function pause(text: string | undefined, clock: Clock): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - clock.now();
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, longestPause) : undefined;
}
