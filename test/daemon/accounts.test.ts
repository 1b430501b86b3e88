import { describe, expect, it } from "vitest";
import { Accounts } from "../../daemon/accounts.ts";
import type { ServerAccount } from "../../daemon/upstream/account.ts";
import { local, server } from "../../tree/acl.ts";
import { Tree } from "../../tree/tree.ts";
import { chr } from "../../tree/value.ts";
import { Bridge } from "../../daemon/devices/bridge.ts";
import { fakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";
import { fakeStore } from "../fakes/store.ts";
import { call, path } from "../tree/small-home.ts";

function gateway(store = fakeStore()) {
  const clock = fakeClock();
  const tree = new Tree({ store, clock });
  const log = fakeLog();
  const bridge = new Bridge({ tree, store, clock, log });
  return { tree, store, clock, bridge, accounts: new Accounts({ tree, store, log }) };
}

function entry(id: string, more: Partial<ServerAccount> = {}): ServerAccount {
  return {
    id,
    url: `https://${id}.example/dm`,
    version: "1.2",
    encoding: "xml",
    client: { type: "digest", name: "gw", secret: "s1", nonce: new Uint8Array([1, 2, 3]) },
    server: { type: "digest", name: id, secret: "s2", nonce: new Uint8Array([4]) },
    tls: {},
    insecure: false,
    devices: "manage",
    poll: 0,
    report: undefined,
    owner: "file",
    refused: undefined,
    ...more,
  };
}

const acl = (home: ReturnType<typeof gateway>, at: string) => home.tree.property(path(at), "ACL", call(local));

describe("accounts of the config file", () => {
  it("stand in ./DMAcc, without their secrets, and are read back whole", async () => {
    const home = gateway();
    await home.accounts.sync([entry("com.a")]);
    expect(await home.tree.get(path("./DMAcc/1/AppAddr/1/Port/1/PortNbr"), "one", call(local))).toEqual(chr("443"));
    await expect(home.tree.get(path("./DMAcc/1/AppAuth/1/AAuthSecret"), "one", call(local))).rejects.toMatchObject({
      status: 405,
    });
    expect(home.accounts.list()).toEqual([entry("com.a", { url: "https://com.a.example/dm" })]);
  });

  it("cost no write when nothing changed, and are set back to what the file says", async () => {
    const home = gateway();
    await home.accounts.sync([entry("com.a")]);
    const again = gateway(home.store);
    const commits = home.store.commits;
    await again.accounts.sync([entry("com.a")]);
    expect(home.store.commits).toBe(commits);
    await again.tree.change(
      [{ verb: "Replace", at: path("./DMAcc/1/AppAuth/1/AAuthName"), value: chr("x") }],
      call(local),
    );
    expect(again.accounts.list()[0]?.client?.name).toBe("x");
    await again.accounts.sync([entry("com.a")]);
    expect(again.accounts.list()[0]?.client?.name).toBe("gw");
  });

  it("go with the file, and so do their rights everywhere; accounts made at run time stay", async () => {
    const home = gateway();
    const gone: string[] = [];
    home.accounts.onForget((id) => gone.push(id));
    await home.accounts.sync([entry("com.a"), entry("com.b")]);
    const proof = { type: "digest", name: "n", secret: "s" };
    await home.accounts.add({ id: "com.c", url: "https://c.example", client: proof, server: proof });
    await home.accounts.sync([entry("com.b")]);
    expect(home.accounts.list().map((account) => account.id)).toEqual(["com.b", "com.c"]);
    expect(gone).toEqual(["com.a"]);
    expect(await acl(home, "./Devices")).not.toContain("com.a");
    expect(
      gateway(home.store)
        .accounts.list()
        .map((account) => account.id),
    ).toEqual(["com.b", "com.c"]);
  });
});

describe("the starting rights", () => {
  it("let file accounts manage devices, and nobody else see them", async () => {
    const home = gateway();
    await home.accounts.sync([entry("com.a"), entry("com.watch", { devices: "none" })]);
    const expected = "Add=com.a&Delete=com.a&Exec=com.a&Get=com.a&Replace=com.a";
    expect([await acl(home, "./Devices"), await acl(home, "./GwMO/DeviceInventory")]).toEqual([expected, expected]);
    await expect(home.tree.get(path("./Devices"), "one", call(server("com.watch")))).rejects.toMatchObject({
      status: 425,
    });
    await expect(home.tree.get(path("./DMAcc/1"), "one", call(server("com.watch")))).rejects.toMatchObject({
      status: 425,
    });
  });

  it("are closed when there is no account at all, and when the last one goes", async () => {
    const home = gateway();
    await home.accounts.sync([]);
    await expect(home.tree.get(path("./Devices"), "one", call(server("anyone")))).rejects.toMatchObject({
      status: 425,
    });
    await home.accounts.sync([entry("com.a")]);
    expect(await acl(home, "./Devices")).not.toContain("local");
    await home.accounts.sync([]);
    await expect(home.tree.get(path("./Devices"), "one", call(server("anyone")))).rejects.toMatchObject({
      status: 425,
    });
    await expect(gateway(home.store).tree.get(path("./Devices"), "one", call(server("anyone")))).rejects.toMatchObject({
      status: 425,
    });
  });

  it("are given once: what the operator takes away stays away over restarts", async () => {
    const home = gateway();
    await home.accounts.sync([entry("com.a")]);
    await home.tree.setProperty(path("./Devices"), "ACL", "Get=com.a", call(local));
    const again = gateway(home.store);
    await again.accounts.sync([entry("com.a")]);
    expect(await acl(again, "./Devices")).toBe("Get=com.a");
    await again.accounts.sync([entry("com.a", { devices: "none" })]);
    expect(await acl(again, "./Devices")).toBe("Get=local");
  });
});

describe("accounts made at run time", () => {
  const proof = { type: "digest", name: "n", secret: "s" };

  it.each([
    ["no proof of the server", { id: "x", url: "https://x.example", client: proof }],
    ["plain http", { id: "x", url: "http://x.example", client: proof, server: proof }],
    ["an id that no ACL can hold", { id: "a b", url: "https://x.example", client: proof, server: proof }],
    ["the id that stands for nobody", { id: "local", url: "https://x.example", client: proof, server: proof }],
    ["no URL", { id: "x", url: "x", client: proof, server: proof }],
    [
      "an unknown kind of proof",
      { id: "x", url: "https://x.example", client: { ...proof, type: "magic" }, server: proof },
    ],
  ])("are refused with %s", async (_why, account) => {
    await expect(gateway().accounts.add(account)).rejects.toMatchObject({ status: 400 });
  });

  it("come with their rights or not at all", async () => {
    const home = gateway();
    await home.accounts.sync([]);
    const rights = await acl(home, "./Devices");
    const wanted = { id: "x", url: "https://x.example", client: proof, server: proof, devices: "manage" } as const;
    home.store.failNext();
    await expect(home.accounts.add(wanted)).rejects.toThrow();
    expect([home.accounts.list(), await acl(home, "./Devices")]).toEqual([[], rights]);
    const commits = home.store.commits;
    await home.accounts.add(wanted);
    expect(home.store.commits - commits).toBe(2);
    expect(await acl(gateway(home.store), "./Devices")).toContain("Get=x");
  });

  it("are kept over a restart, and removed with everything that hangs on them", async () => {
    const home = gateway();
    await home.accounts.add({ id: "x", url: "http://x.example:8080/dm", client: proof, server: proof, insecure: true });
    await expect(home.accounts.add({ id: "x", url: "https://y", client: proof, server: proof })).rejects.toMatchObject({
      status: 418,
    });
    const again = gateway(home.store);
    expect(await acl(again, "./Devices")).not.toContain("x");
    expect(again.accounts.list()[0]).toMatchObject({
      id: "x",
      url: "http://x.example:8080/dm",
      owner: "runtime",
      refused: undefined,
    });
    await again.accounts.remove("x");
    expect(again.accounts.list()).toEqual([]);
    await expect(again.accounts.remove("x")).rejects.toMatchObject({ status: 404 });
  });

  it("written by a server node by node count once they are complete, and are refused until the server can prove itself", async () => {
    const home = gateway();
    const add = (at: string, value: string) =>
      home.tree.change([{ verb: "Add", at: path(`./DMAcc/9/${at}`), value: chr(value) }], call(local));
    await add("ServerID", "new");
    expect(home.accounts.list()).toEqual([]);
    await add("AppAddr/1/Addr", "https://new.example");
    expect(home.accounts.list()[0]?.refused).toMatch(/prove itself/);
    await add("AppAuth/1/AAuthLevel", "SRVCRED");
    await add("AppAuth/1/AAuthType", "DIGEST");
    expect(home.accounts.list()[0]).toMatchObject({ id: "new", refused: undefined, devices: "none" });
    expect(await acl(home, "./Devices")).not.toContain("new");
  });
});
