import { describe, expect, it } from "vitest";
import { local } from "../../tree/acl.ts";
import type { Snapshot } from "../../tree/value.ts";
import { bool, chr, emptyInterior, int, isInterior } from "../../tree/value.ts";
import { alpha, beta, call, path, smallHome } from "./small-home.ts";

const ext = "./DevInfo/Ext";
const status = (status: number) => expect.objectContaining({ status }) as Error;

function names(snapshot: Snapshot | undefined): string[] {
  return snapshot !== undefined && isInterior(snapshot) ? [...snapshot.children.keys()] : [];
}

describe("reading", () => {
  it("gives leaves, child names, and whole subtrees over many MOs", async () => {
    const { tree } = smallHome();
    expect(await tree.get(path("./DevInfo/Man"), "one", call(alpha))).toEqual(chr("M"));
    expect(names(await tree.get(path("."), "one", call(alpha)))).toEqual(["DevInfo", "DMAcc", "Devices"]);
    const all = await tree.get(path("./Devices"), "deep", call(alpha));
    expect(JSON.stringify(isInterior(all) && names(all.children.get("d1")))).toBe('["MQTT"]');
  });

  it("answers 404 for what is not there, and 425 before that for what may not be seen", async () => {
    const { tree } = smallHome();
    await expect(tree.get(path("./Nope/x"), "one", call(alpha))).rejects.toEqual(status(404));
    await tree.setProperty(path("./Devices"), "ACL", "Get=other", call(local));
    await expect(tree.get(path("./Devices/d9"), "one", call(alpha))).rejects.toEqual(status(425));
  });

  it("leaves a silent device's branch unread instead of failing the whole", async () => {
    const { tree, lamps } = smallHome();
    lamps[0].silent = true;
    const all = await tree.get(path("./Devices"), "deep", call(local));
    const d1 = isInterior(all) ? all.children.get("d1") : undefined;
    expect(d1 !== undefined && isInterior(d1) && d1.children.has("MQTT") && d1.children.get("MQTT") === undefined).toBe(
      true,
    );
  });

  it("never shows in a deep Get what a flat Get refuses", async () => {
    const { tree } = smallHome();
    await tree.setProperty(path("./Devices/d2/MQTT/level"), "ACL", "Get=beta", call(local));
    await tree.setProperty(path("./Devices/d1"), "ACL", "Get=beta", call(local));
    const walk = async (at: string, snapshot: Snapshot | undefined): Promise<void> => {
      await tree.get(path(at), "one", call(alpha));
      if (snapshot === undefined || !isInterior(snapshot)) return;
      for (const [name, child] of snapshot.children) await walk(`${at}/${name}`, child);
    };
    const all = await tree.get(path("./Devices"), "deep", call(alpha));
    expect(names(all)).toEqual(["d2"]);
    await walk("./Devices", all);
  });

  it("shows secrets to nobody, not even to the gateway's own CLI", async () => {
    const { tree, accounts } = smallHome();
    const at = path("./DMAcc/a/AppAuth/1/AAuthSecret");
    await tree.change([{ verb: "Add", at, value: chr("geheim") }], call(local));
    await expect(tree.get(at, "one", call(local))).rejects.toEqual(status(405));
    expect(JSON.stringify([...(await tree.get(path("./DMAcc"), "deep", call(local)).then(names))])).toBe('["a"]');
    const auth = await tree.get(path("./DMAcc/a/AppAuth/1"), "deep", call(local));
    expect(names(auth)).toEqual([]);
    expect(accounts.accounts()[0]?.auth[0]?.secret).toBe("geheim");
  });
});

describe("writing", () => {
  it("adds missing parents, keeps what was added over a restart, and counts VerNo of the node and its parent", async () => {
    const { tree, store } = smallHome();
    await tree.change([{ verb: "Add", at: path(`${ext}/a/b/c`), value: int(7) }], call(alpha));
    expect(store.commits).toBe(1);
    const again = smallHome(store).tree;
    expect(await again.get(path(`${ext}/a/b/c`), "one", call(local))).toEqual(int(7));
    const before = await again.property(path(`${ext}/a/b/c`), "VerNo", call(local));
    await again.change([{ verb: "Replace", at: path(`${ext}/a/b/c`), value: int(8) }], call(local));
    expect(Number(await again.property(path(`${ext}/a/b/c`), "VerNo", call(local)))).toBe(Number(before) + 1);
  });

  it("gives a creator without Replace on the parent Add, Delete and Replace on its node, and hides it from nobody", async () => {
    const { tree } = smallHome();
    await tree.change([{ verb: "Add", at: path(`${ext}/mine/x`), value: chr("1") }], call(alpha));
    expect(await tree.property(path(`${ext}/mine`), "ACL", call(alpha))).toBe(
      "Add=alpha&Delete=alpha&Get=*&Replace=alpha",
    );
    expect(await tree.property(path(`${ext}/mine/x`), "ACL", call(alpha))).toBe("");
    await tree.change([{ verb: "Replace", at: path(`${ext}/mine/x`), value: chr("2") }], call(alpha));
    await expect(
      tree.change([{ verb: "Replace", at: path(`${ext}/mine/x`), value: chr("3") }], call(beta)),
    ).rejects.toEqual(status(425));
  });

  it.each([
    [404, { verb: "Replace", at: path("./DevInfo/Nope"), value: chr("") }],
    [405, { verb: "Replace", at: path("./DevInfo/Man"), value: chr("") }],
    [405, { verb: "Replace", at: path("./DevInfo"), value: chr("") }],
    [405, { verb: "Delete", at: path("./DevInfo") }],
    [405, { verb: "Delete", at: path("./DevInfo/Ext") }],
    [405, { verb: "Delete", at: path(".") }],
    [405, { verb: "Add", at: path("./Nope"), value: chr("") }],
    [405, { verb: "Add", at: path("./DevInfo/Nope/x"), value: chr("") }],
    [405, { verb: "Add", at: path("./DevInfo/Man/x"), value: chr("") }],
    [418, { verb: "Add", at: path("./DevInfo/Man"), value: chr("") }],
    [415, { verb: "Replace", at: path("./Devices/d1/MQTT/level"), value: chr("5") }],
    [415, { verb: "Add", at: path("./DMAcc/x/Name"), value: bool(true) }],
    [405, { verb: "Rename", at: path("./DevInfo"), name: "x" }],
  ] as const)("answers %i to %j", async (expected, change) => {
    const { tree, store } = smallHome();
    await expect(tree.change([change], call(local))).rejects.toEqual(status(expected));
    expect(store.commits).toBe(0);
  });

  it("writes nothing when a later change of the list cannot be", async () => {
    const { tree, lamps, store } = smallHome();
    await expect(
      tree.change(
        [
          { verb: "Replace", at: path("./Devices/d1/MQTT/power"), value: chr("on") },
          { verb: "Add", at: path(`${ext}/x`), value: chr("1") },
          { verb: "Replace", at: path("./Devices/d1/MQTT/lux"), value: int(1) },
        ],
        call(local),
      ),
    ).rejects.toEqual(expect.objectContaining({ status: 405, index: 2, undone: true }));
    expect(lamps[0].calls).toEqual([]);
    expect([store.commits, tree.has(path(`${ext}/x`))]).toEqual([0, false]);
  });

  it("takes back what it did on other MOs when a device refuses", async () => {
    const { tree, lamps, store } = smallHome();
    lamps[1].refuse = "power";
    await expect(
      tree.change(
        [
          { verb: "Add", at: path(`${ext}/x`), value: chr("1") },
          { verb: "Replace", at: path("./Devices/d1/MQTT/power"), value: chr("on") },
          { verb: "Replace", at: path("./Devices/d2/MQTT/power"), value: chr("on") },
        ],
        call(local),
      ),
    ).rejects.toEqual(expect.objectContaining({ status: 400, index: 2, undone: true }));
    expect(lamps[0].values.get("power")).toEqual(chr("off"));
    expect([store.commits, tree.has(path(`${ext}/x`))]).toEqual([0, false]);
  });

  it("can add a node and write below it in one list, and delete and add the same again", async () => {
    const { tree } = smallHome();
    await tree.change(
      [
        { verb: "Add", at: path(`${ext}/n`), value: emptyInterior },
        { verb: "Add", at: path(`${ext}/n/leaf`), value: chr("1") },
        { verb: "Replace", at: path(`${ext}/n/leaf`), value: chr("2") },
        { verb: "Delete", at: path(`${ext}/n`) },
        { verb: "Add", at: path(`${ext}/n`), value: chr("3") },
      ],
      call(local),
    );
    expect(await tree.get(path(`${ext}/n`), "one", call(local))).toEqual(chr("3"));
  });

  it("keeps neither value nor property when the commit fails, and works again afterwards", async () => {
    const { tree, store, lamps } = smallHome();
    await tree.change([{ verb: "Add", at: path(`${ext}/x`), value: chr("1") }], call(local));
    const fingerprint = await tree.property(path("."), "Fingerprint", call(local));
    store.failNext();
    await expect(
      tree.change(
        [
          { verb: "Replace", at: path(`${ext}/x`), value: chr("2") },
          { verb: "Replace", at: path("./Devices/d1/MQTT/power"), value: chr("on") },
        ],
        call(local),
      ),
    ).rejects.toThrow();
    expect(await tree.get(path(`${ext}/x`), "one", call(local))).toEqual(chr("1"));
    expect(lamps[0].values.get("power")).toEqual(chr("off"));
    expect(await tree.property(path("."), "Fingerprint", call(local))).toBe(fingerprint);
    await tree.change([{ verb: "Replace", at: path(`${ext}/x`), value: chr("2") }], call(local));
    expect(await tree.get(path(`${ext}/x`), "one", call(local))).toEqual(chr("2"));
  });

  it("renames a node with all below it, its ACL included", async () => {
    const { tree, store } = smallHome();
    await tree.change([{ verb: "Add", at: path(`${ext}/a/b`), value: chr("1") }], call(local));
    await tree.setProperty(path(`${ext}/a/b`), "ACL", "Get=beta", call(local));
    await tree.setProperty(path(`${ext}/a`), "Name", "z", call(local));
    const { tree: again } = smallHome(store);
    expect(await again.property(path(`${ext}/z/b`), "ACL", call(local))).toBe("Get=beta");
    expect(again.has(path(`${ext}/a`))).toBe(false);
    await again.change([{ verb: "Add", at: path(`${ext}/y`), value: chr("1") }], call(local));
    await expect(again.setProperty(path(`${ext}/z`), "Name", "y", call(local))).rejects.toEqual(status(418));
  });
});

describe("access control", () => {
  it("compares server ids whole: one that is a prefix of another is somebody else", async () => {
    const { tree } = smallHome();
    await tree.setProperty(path("./Devices/d1"), "ACL", "Get=alpha.b", call(local));
    await expect(tree.get(path("./Devices/d1"), "one", call(alpha))).rejects.toEqual(status(425));
    await tree.get(path("./Devices/d1"), "one", call(beta));
  });

  it("takes the nearest ACL whole: a verb that it does not name is nobody's", async () => {
    const { tree } = smallHome();
    await tree.setProperty(path("./Devices"), "ACL", "Get=alpha&Replace=alpha", call(local));
    await tree.setProperty(path("./Devices/d1"), "ACL", "Replace=alpha", call(local));
    await expect(tree.get(path("./Devices/d1/MQTT/level"), "one", call(alpha))).rejects.toEqual(status(425));
    expect(tree.decide(path("./Devices/d1/MQTT/level"), "Get", alpha)).toEqual({
      allowed: false,
      acl: "Replace=alpha",
      from: "./Devices/d1",
    });
  });

  it("lets an interior node's own Replace change its ACL, but a leaf's only by Replace on the parent", async () => {
    const { tree } = smallHome();
    await tree.change([{ verb: "Add", at: path(`${ext}/n/leaf`), value: chr("1") }], call(local));
    await tree.setProperty(path(`${ext}/n/leaf`), "ACL", "Get=alpha&Replace=alpha", call(local));
    await expect(tree.setProperty(path(`${ext}/n/leaf`), "ACL", "Get=*", call(alpha))).rejects.toEqual(status(425));
    await tree.setProperty(path(`${ext}/n`), "ACL", "Get=alpha&Replace=alpha", call(local));
    await tree.setProperty(path(`${ext}/n/leaf`), "ACL", "Get=*", call(alpha));
    await tree.setProperty(path(`${ext}/n`), "ACL", "Get=*", call(alpha));
    await expect(tree.setProperty(path(`${ext}/n`), "ACL", "", call(alpha))).rejects.toEqual(status(425));
  });

  it("lets the owner of a parent take over a child in two steps, but gives no right to its value by itself", async () => {
    const { tree } = smallHome();
    await tree.setProperty(path("./Devices/d1"), "ACL", "Get=alpha&Replace=alpha", call(local));
    await tree.setProperty(path("./Devices/d1/MQTT"), "ACL", "Get=beta", call(local));
    await expect(tree.get(path("./Devices/d1/MQTT/power"), "one", call(alpha))).rejects.toEqual(status(425));
    await tree.setProperty(path("./Devices/d1/MQTT"), "ACL", "", call(alpha));
    await tree.get(path("./Devices/d1/MQTT/power"), "one", call(alpha));
  });

  it("forgets a deleted server everywhere, and never leaves the root without a list", async () => {
    const { tree, store } = smallHome();
    await tree.setProperty(path("."), "ACL", "Add=alpha&Get=*", call(local));
    await tree.setProperty(path("./Devices/d1"), "ACL", "Get=alpha+other", call(local));
    await tree.setProperty(path("./Devices/d2"), "ACL", "Get=alpha", call(local));
    const batch = store.batch();
    tree.forgetServer("alpha", batch);
    await store.commit(batch);
    const again = smallHome(store).tree;
    expect(await again.property(path("."), "ACL", call(local))).toBe("Add=*&Get=*");
    expect(await again.property(path("./Devices/d1"), "ACL", call(local))).toBe("Get=other");
    expect(await again.property(path("./Devices/d2"), "ACL", call(local))).toBe("");
  });
});

describe("the Fingerprint", () => {
  const print = (home: ReturnType<typeof smallHome>, at = ".", by = call(alpha)) =>
    home.tree.property(path(at), "Fingerprint", by);

  it("changes exactly when something below changes", async () => {
    const home = smallHome();
    const [root, d1, d2] = [await print(home), await print(home, "./Devices/d1"), await print(home, "./Devices/d2")];
    home.lamps[0].values.set("level", int(6));
    home.mounted[0]?.changed(["level" as never]);
    expect(await print(home)).not.toBe(root);
    expect(await print(home, "./Devices/d1")).not.toBe(d1);
    expect(await print(home, "./Devices/d2")).toBe(d2);
    home.lamps[0].values.set("level", int(5));
    home.mounted[0]?.changed(["level" as never]);
    expect(await print(home)).toBe(root);
  });

  it("does not count what is volatile, nor what the asking server may not see", async () => {
    const home = smallHome();
    const before = await print(home);
    home.lamps[0].values.set("lux", int(7));
    home.mounted[0]?.changed(["lux" as never]);
    expect(await print(home)).toBe(before);
    await home.tree.setProperty(path("./Devices/d2"), "ACL", "Get=beta", call(local));
    const without = await print(home);
    home.lamps[1].values.set("level", int(9));
    home.mounted[1]?.changed(["level" as never]);
    expect(await print(home)).toBe(without);
    expect(await print(home, ".", call(local))).not.toBe(before);
  });

  it("counts a device that joins or leaves, a new ACL and a new title", async () => {
    const home = smallHome();
    const seen = new Set([await print(home)]);
    await home.tree.setProperty(path("./Devices/d1"), "Title", "Kitchen", call(local));
    seen.add(await print(home));
    home.mounted[1]?.unmount();
    seen.add(await print(home));
    await home.tree.setProperty(path("./Devices/d1"), "ACL", "Get=*", call(local));
    seen.add(await print(home));
    expect(seen.size).toBe(4);
  });
});
