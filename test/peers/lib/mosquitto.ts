import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inNamespace, startPeer } from "./process.ts";
import type { Peer } from "./process.ts";

const run = promisify(execFile);

export interface MosquittoOptions {
  /** Nobody else gets in. */
  readonly user?: { readonly name: string; readonly password: string };
  readonly tls?: boolean;
  /** Clients have to show a certificate of the same CA. Implies tls. */
  readonly clientCertificates?: boolean;
  /** What is retained survives a restart; default true. */
  readonly persistence?: boolean;
  /** Lines of its access list. */
  readonly acl?: readonly string[];
  /** The network namespace on whose loopback it listens, at port 1883; default: ours, and a free port. */
  readonly namespace?: string;
}

export interface Mosquitto {
  readonly url: string;
  readonly port: number;
  /** PEM texts: the CA, and a client's certificate and key. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** mosquitto_pub: one message, retained unless told otherwise. */
  publish(topic: string, payload: string, retain?: boolean): Promise<void>;
  /** mosquitto_pub, one message a line: "topic payload". */
  publishAll(topics: Readonly<Record<string, string>>): Promise<void>;
  /** mosquitto_sub: what it hears, "topic payload" a line. */
  listen(filter: string): Promise<Peer>;
  log(): string;
  /** Stops it, and starts it with the same files on the same port. */
  restart(away?: number): Promise<void>;
  stop(): Promise<void>;
}

/** A mosquitto broker on loopback, on a free port, with what it retains in a folder of its own. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const { user, clientCertificates = false, persistence = true, acl, namespace } = options;
  const tls = options.tls === true || clientCertificates;
  const folder = await mkdtemp(join(tmpdir(), "dmgw-mosquitto-"));
  const file = (name: string) => join(folder, name);
  await certificates(folder);
  if (user !== undefined) await run("mosquitto_passwd", ["-b", "-c", file("passwords"), user.name, user.password]);
  if (acl !== undefined) await writeFile(file("acl"), `${acl.join("\n")}\n`);
  const port = namespace === undefined ? await freePort() : 1883;
  const lines = [
    `listener ${port} 127.0.0.1`,
    `allow_anonymous ${user === undefined}`,
    ...(user === undefined ? [] : [`password_file ${file("passwords")}`]),
    ...(acl === undefined ? [] : [`acl_file ${file("acl")}`]),
    ...(tls ? [`cafile ${file("ca.crt")}`, `certfile ${file("server.crt")}`, `keyfile ${file("server.key")}`] : []),
    `${tls ? "" : "# "}require_certificate ${clientCertificates}`,
    `persistence ${persistence}`,
    `persistence_location ${folder}/`,
    "log_dest stderr",
    "log_type all",
    "user root",
  ];
  await writeFile(file("mosquitto.conf"), `${lines.join("\n")}\n`);
  const inside = namespace === undefined ? {} : { namespace };
  const start = () =>
    startPeer("mosquitto", ["-c", file("mosquitto.conf")], { ...inside, ready: /mosquitto version .* running/ });
  let peer = await start();
  const secured = tls ? ["--cafile", file("ca.crt"), "--cert", file("client.crt"), "--key", file("client.key")] : [];
  const client = [
    ...["-h", tls ? "localhost" : "127.0.0.1", "-p", String(port), "-q", "1", ...secured],
    ...(user === undefined ? [] : ["-u", user.name, "-P", user.password]),
  ];
  const publish: Mosquitto["publish"] = async (topic, payload, retain = true) => {
    const message = payload === "" ? ["-n"] : ["-m", payload];
    const args = [...client, ...(retain ? ["-r"] : []), "-t", topic, ...message];
    const [command = "", ...rest] =
      namespace === undefined ? ["mosquitto_pub", ...args] : inNamespace(namespace, "mosquitto_pub", args);
    await run(command, rest);
  };
  return {
    url: `${tls ? "mqtts://localhost" : "mqtt://127.0.0.1"}:${port}`,
    port,
    ca: await readFile(file("ca.crt"), "utf8"),
    cert: await readFile(file("client.crt"), "utf8"),
    key: await readFile(file("client.key"), "utf8"),
    publish,
    async publishAll(topics) {
      for (const [topic, payload] of Object.entries(topics)) await publish(topic, payload);
    },
    listen: (filter) =>
      // It says that it has subscribed on a stream that it only empties for a message.
      startPeer("stdbuf", ["-oL", "mosquitto_sub", ...client, "-v", "-d", "-t", filter], {
        ...inside,
        ready: /Subscribed/,
      }),
    log: () => peer.output(),
    async restart(away = 0) {
      await peer.stop();
      await new Promise((resolve) => setTimeout(resolve, away));
      peer = await start();
    },
    async stop() {
      await peer.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A CA, and certificates of it for localhost and for a client. */
async function certificates(folder: string): Promise<void> {
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl("req", "-x509", ...curve, "-keyout", "ca.key", "-out", "ca.crt", "-days", "30", "-subj", "/CN=lab CA");
  await writeFile(join(folder, "names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  for (const name of ["server", "client"]) {
    await openssl("req", ...curve, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    const signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "names"];
    await openssl("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.crt`, ...signed);
    await chmod(join(folder, `${name}.key`), 0o644);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
