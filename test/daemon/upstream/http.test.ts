import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createTls } from "node:https";
import { createServer as createTcp } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../daemon/clock.ts";
import { openHttp } from "../../../daemon/upstream/http.ts";
import type { HttpOptions } from "../../../daemon/upstream/http.ts";
import { HttpStatusError } from "../../../daemon/upstream/transport.ts";
import type { Transport } from "../../../daemon/upstream/transport.ts";
import { DmError, ProtocolError } from "../../../tree/errors.ts";
import { selfSigned } from "../../fakes/certificate.ts";

const type = "application/vnd.syncml.dm+xml";
const never = new AbortController().signal;
let server: Server;
let url: string;
let respond: (request: IncomingMessage, response: ServerResponse, body: string) => void;
let transport: Transport;
const closing: (() => unknown)[] = [];

function open(options: Partial<HttpOptions> = {}): Transport {
  transport = openHttp({ clock: systemClock, tls: {}, ...options });
  const opened = transport;
  closing.push(() => opened.close());
  return transport;
}

async function listen(
  one: Pick<Server, "listen" | "address" | "close" | "closeAllConnections"> & NodeJS.EventEmitter,
  scheme = "http",
): Promise<string> {
  one.listen(0, "127.0.0.1");
  await once(one, "listening");
  closing.push(
    () => one.close(),
    () => one.closeAllConnections(),
  );
  return `${scheme}://127.0.0.1:${(one.address() as AddressInfo).port}/dm`;
}

const take = (request: IncomingMessage, response: ServerResponse) => {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => respond(request, response, body));
};

beforeEach(async () => {
  respond = (_request, response, body) => response.writeHead(200, { "content-type": type }).end(`<${body}>`);
  server = createServer(take);
  url = await listen(server);
  open();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const post = (body = "a", uri = url, signal = never) =>
  transport.exchange({ uri, type, headers: new Map(), body: Buffer.from(body) }, signal);
const text = async (answer: ReturnType<typeof post>) => Buffer.from((await answer).body).toString();
const thrown = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("a message", () => {
  test("is posted with its type and comes back as octets, over one line that stays open", async () => {
    const seen: IncomingMessage[] = [];
    let lines = 0;
    server.on("connection", () => lines++);
    respond = (request, response, body) => {
      seen.push(request);
      response.writeHead(200, { "content-type": `${type}; charset=UTF-8` }).end(`<${body}>`);
    };
    expect([await text(post("one")), await text(post("two"))]).toEqual(["<one>", "<two>"]);
    expect(lines).toBe(1);
    expect(seen[0]).toMatchObject({
      method: "POST",
      url: "/dm",
      headers: { "content-type": type, "content-length": "3", accept: type, "cache-control": "no-store" },
    });
  });

  test("may be answered in pieces, and as any kind of SyncML or XML in UTF-8", async () => {
    for (const kind of [
      "application/vnd.syncml+xml",
      "text/xml; charset=utf-8",
      'Application/Vnd.SyncML.DM+XML;charset="utf-8"',
    ]) {
      respond = (_request, response) => {
        response.writeHead(200, { "content-type": kind });
        response.write("<a");
        setImmediate(() => response.end("/>"));
      };
      expect(await text(post())).toBe("<a/>");
    }
  });

  test("is sent once more, once, when the server closed the idle line under it", async () => {
    await post();
    const sockets: { destroy(): void }[] = [];
    server.on("connection", (socket) => sockets.push(socket));
    let answered = 0;
    respond = (request, response) => {
      if (answered++ === 0) request.socket.resetAndDestroy();
      else response.writeHead(200, { "content-type": type }).end("<again/>");
    };
    expect(await text(post())).toBe("<again/>");
    expect(sockets).toHaveLength(1);
    respond = (request) => void request.socket.resetAndDestroy();
    expect(await thrown(post())).toMatchObject({ name: "DmError", status: 503 });
  });
});

describe("an answer that is none", () => {
  test("is a ProtocolError: another type, another charset, an encoding, too large", async () => {
    const answers: [Record<string, string>, string, string][] = [
      [{ "content-type": "text/html" }, "<html>", "text/html"],
      [{}, "?", '""'],
      [{ "content-type": "text/xml; charset=utf-16" }, "x", "utf-16"],
      [{ "content-type": type, "content-encoding": "gzip" }, "x", "encoding"],
      [{ "content-type": type }, "x".repeat(2000), "1000 octets"],
    ];
    for (const [headers, body, why] of answers) {
      respond = (_request, response) => response.writeHead(200, headers).end(body);
      open({ answerLimit: 1000 });
      const error = await thrown(post());
      expect(error).toBeInstanceOf(ProtocolError);
      expect((error as Error).message).toContain(why);
    }
  });

  test("carries the status, and how long to stay away; redirects are not followed", async () => {
    const answers: [number, Record<string, string>, number | undefined][] = [
      [503, { "retry-after": "120" }, 120_000],
      [503, { "retry-after": new Date(Date.now() + 60_500).toUTCString() }, 60_000],
      [503, { "retry-after": "999999999" }, 86_400_000],
      [503, { "retry-after": "soon" }, undefined],
      [500, {}, undefined],
      [302, { location: "http://127.0.0.1:1/" }, undefined],
      [401, {}, undefined],
      [204, {}, undefined],
    ];
    for (const [status, headers, retryAfter] of answers) {
      respond = (_request, response) => response.writeHead(status, headers).end();
      const error = await thrown(post());
      expect(error).toBeInstanceOf(HttpStatusError);
      expect((error as HttpStatusError).status).toBe(status);
      const given = (error as HttpStatusError).retryAfter;
      if (retryAfter === undefined) expect(given).toBeUndefined();
      else expect(Math.abs((given ?? 0) - retryAfter)).toBeLessThan(2_000);
    }
  });
});

describe("a server that cannot be had", () => {
  test("refuses the line: 503, with a reason for a person", async () => {
    const error = await thrown(post("a", "http://127.0.0.1:1/dm"));
    expect(error).toBeInstanceOf(DmError);
    expect(error).toMatchObject({ status: 503, message: "cannot reach 127.0.0.1:1: ECONNREFUSED" });
  });

  test("drops it within the answer: 503", async () => {
    respond = (request, response) => {
      response.writeHead(200, { "content-type": type, "content-length": "100" });
      response.write("<a");
      setImmediate(() => request.socket.destroy());
    };
    expect(await thrown(post())).toMatchObject({ status: 503 });
  });

  test("says nothing: 504 when the time is up", async () => {
    respond = () => undefined;
    open({ answerWithin: 50 });
    expect(await thrown(post())).toMatchObject({ status: 504 });
    respond = (_request, response) => {
      response.writeHead(200, { "content-type": type });
      response.write("<a");
    };
    expect(await thrown(post())).toBeInstanceOf(DmError);
  });

  test("takes the line and never speaks TLS: 503 when the time to connect is up", async () => {
    const silent = createTcp(() => undefined);
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    closing.push(() => silent.close());
    open({ connectWithin: 50 });
    const port = (silent.address() as AddressInfo).port;
    expect(await thrown(post("a", `https://127.0.0.1:${port}/`))).toMatchObject({ status: 503 });
  });

  test("is left at once when the caller has enough", async () => {
    respond = () => undefined;
    const enough = new AbortController();
    const work = thrown(post("a", url, enough.signal));
    setTimeout(() => enough.abort(new DmError(503, "the gateway stops")), 20);
    expect(await work).toMatchObject({ message: "the gateway stops" });
    expect(await thrown(post("a", url, enough.signal))).toMatchObject({ message: "the gateway stops" });
  });
});

describe("TLS", () => {
  const secure = async (names: string[], options: object = {}) => {
    const pair = selfSigned(names);
    return { ...pair, url: await listen(createTls({ ...pair, ...options }, take), "https") };
  };

  test("a server whose own certificate is pinned is trusted, under whatever name it is reached", async () => {
    for (const names of [["127.0.0.1"], ["dm.example.com"]]) {
      const { cert, url: uri } = await secure(names);
      open({ tls: { ca: cert } });
      expect(await text(post("a", uri))).toBe("<a>");
    }
  });

  test("any other one is not, whoever may have signed it; and without a pin a self-signed one is nobody", async () => {
    const { url: uri } = await secure(["127.0.0.1"]);
    open({ tls: { ca: selfSigned(["127.0.0.1"]).cert } });
    expect(await thrown(post("a", uri))).toMatchObject({ status: 503 });
    open();
    expect(await thrown(post("a", uri))).toMatchObject({ status: 503 });
  });

  test("older than 1.2 is not spoken", async () => {
    const { cert, url: uri } = await secure(["127.0.0.1"], { maxVersion: "TLSv1.1", minVersion: "TLSv1" });
    open({ tls: { ca: cert } });
    expect(await thrown(post("a", uri))).toMatchObject({ status: 503 });
  });

  test("a pin, a certificate or a key that is none is 503, not a fall", async () => {
    const { url: uri, cert } = await secure(["127.0.0.1"]);
    for (const tls of [{ ca: "nonsense" }, { ca: cert, cert: "nonsense", key: "nonsense" }]) {
      open({ tls });
      expect(await thrown(post("a", uri))).toMatchObject({ name: "DmError", status: 503 });
    }
  });

  test("a client certificate is shown where the account has one", async () => {
    const own = selfSigned(["gw"]);
    const { cert, url: uri } = await secure(["127.0.0.1"], { requestCert: true, ca: own.cert });
    open({ tls: { ca: cert } });
    expect(await thrown(post("a", uri))).toMatchObject({ status: 503 });
    open({ tls: { ca: cert, cert: own.cert, key: own.key } });
    expect(await text(post("a", uri))).toBe("<a>");
  });
});
