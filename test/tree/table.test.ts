import { DmError } from "../../tree/errors.ts";
import { describe, expect, it } from "vitest";
import { local } from "../../tree/acl.ts";
import { StoredNodes, storedLimits } from "../../tree/stored-nodes.ts";
import { tableMo } from "../../tree/table.ts";
import { Tree } from "../../tree/tree.ts";
import type { Snapshot } from "../../tree/value.ts";
import { chr, int, textOf } from "../../tree/value.ts";
import { fakeClock } from "../fakes/clock.ts";
import { fakeStore } from "../fakes/store.ts";
import { call, path } from "./small-home.ts";

function home(store = fakeStore()) {
  const tree = new Tree({ store, clock: fakeClock() });
  const nodes = new StoredNodes(store, "x");
  const names = new Set(["one", "two"]);
  const written: string[] = [];
  const made = new Map<string, string>();
  const keep = (name: string, colour: string | undefined) => {
    const before = made.get(name);
    if (colour === "bad") throw new DmError(400, "bad");
    const put = (one: string | undefined) => void (one === undefined ? made.delete(name) : made.set(name, one));
    put(colour);
    return () => put(before);
  };
  const mo = tableMo(
    "urn:test:table:1.0",
    {
      format: "node",
      description: "a table",
      children: {
        Fixed: { format: "int", description: "computed", get: () => int(1) },
        Set: {
          format: "chr",
          description: "written",
          get: () => chr("x"),
          set: (value) => {
            const text = String("data" in value && value.data);
            if (text === "bad") throw new DmError(400, "bad");
            written.push(text);
            return () => void written.pop();
          },
        },
        List: {
          format: "node",
          description: "computed names",
          list: () => names,
          each: {
            format: "node",
            description: "one",
            children: { Name: { format: "chr", description: "its name", get: ([name]) => chr(name ?? "") } },
          },
        },
        Free: { format: "node", description: "anything", free: true },
        Made: {
          format: "node",
          description: "computed, and yet added by commands",
          list: () => made.keys(),
          add(name, value) {
            const colour = value.format === "node" ? value.children.get("Colour") : undefined;
            return keep(name, colour === undefined || colour.format === "node" ? "" : textOf(colour));
          },
          remove: (name) => keep(name, undefined),
          each: {
            format: "node",
            description: "one",
            children: {
              Colour: {
                format: "chr",
                description: "there when it has one",
                get: ([name]) => (made.get(name ?? "") ? chr(made.get(name ?? "") ?? "") : undefined),
                set: (value, [name]) => keep(name ?? "", textOf(value)),
                unset: ([name]) => keep(name ?? "", ""),
              },
              Parts: { format: "node", description: "there at once", each: { format: "chr", description: "a part" } },
            },
          },
        },
        Do: {
          format: "null",
          description: "to execute",
          exec: async () => ({ state: "done", result: chr("did") }),
        },
      },
    },
    nodes,
  );
  tree.mount(path("./T"), mo);
  return { tree, names, written, store, nodes, made };
}

describe("an MO written as a table", () => {
  it("has the children of its computed lists, as long as they are listed", async () => {
    const { tree, names } = home();
    expect(await tree.get(path("./T/List/one/Name"), "one", call(local))).toEqual(chr("one"));
    names.delete("one");
    await expect(tree.get(path("./T/List/one/Name"), "one", call(local))).rejects.toMatchObject({ status: 404 });
    await expect(tree.get(path("./T/List/__proto__/Name"), "one", call(local))).rejects.toMatchObject({ status: 404 });
    await expect(tree.get(path("./T/constructor"), "one", call(local))).rejects.toMatchObject({ status: 404 });
  });

  it("writes, executes and refuses by its rows", async () => {
    const { tree, written } = home();
    await tree.change([{ verb: "Replace", at: path("./T/Set"), value: chr("new") }], call(local));
    expect(written).toEqual(["new"]);
    const both = ["kept?", "bad"].map((text) => ({ verb: "Replace", at: path("./T/Set"), value: chr(text) }) as const);
    await expect(tree.change(both, call(local))).rejects.toMatchObject({ status: 400, index: 1, undone: true });
    expect(written).toEqual(["new"]);
    expect(await tree.exec(path("./T/Do"), undefined, call(local))).toEqual({ state: "done", result: chr("did") });
    await expect(tree.get(path("./T/Do"), "one", call(local))).rejects.toMatchObject({ status: 405 });
    expect(await tree.get(path("./T"), "deep", call(local))).toMatchObject({ format: "node" });
    await expect(tree.exec(path("./T/Set"), undefined, call(local))).rejects.toMatchObject({ status: 405 });
    await expect(
      tree.change([{ verb: "Replace", at: path("./T/Fixed"), value: int(2) }], call(local)),
    ).rejects.toMatchObject({ status: 405 });
  });

  it("takes a whole subtree at once, or nothing of it", async () => {
    const { tree, nodes } = home();
    const value = {
      format: "node",
      children: new Map<string, Snapshot>([
        ["a", chr("1")],
        ["b", { format: "node", children: new Map([["c", int(2)]]) }],
      ]),
    } as const;
    await tree.change([{ verb: "Add", at: path("./T/Free/s"), value }], call(local));
    expect(await tree.get(path("./T/Free/s"), "deep", call(local))).toEqual(value);
    const huge = {
      format: "node",
      children: new Map<string, Snapshot>([
        ["ok", chr("1")],
        ["big", chr("x".repeat(storedLimits.value + 1))],
      ]),
    } as const;
    await expect(
      tree.change([{ verb: "Add", at: path("./T/Free/h"), value: huge }], call(local)),
    ).rejects.toMatchObject({ status: 413 });
    expect([tree.has(path("./T/Free/h")), nodes.get("Free/h/ok" as never)]).toEqual([false, undefined]);
  });

  it("fills up with 420, and has room again when something is deleted", async () => {
    const { tree } = home();
    const part = chr("x".repeat(storedLimits.value - 100));
    for (const n of [1, 2, 3, 4])
      await tree.change([{ verb: "Add", at: path(`./T/Free/n${n}`), value: part }], call(local));
    await expect(
      tree.change([{ verb: "Add", at: path("./T/Free/n5"), value: part }], call(local)),
    ).rejects.toMatchObject({ status: 420 });
    await tree.change([{ verb: "Delete", at: path("./T/Free/n1") }], call(local));
    await tree.change([{ verb: "Add", at: path("./T/Free/n5"), value: part }], call(local));
  });

  it("adds and deletes computed nodes through their rows, with what comes below them", async () => {
    const { tree, made } = home();
    const change = (...changes: Parameters<Tree["change"]>[0]) => tree.change(changes, call(local));
    const add = (at: string, value: Snapshot) => change({ verb: "Add", at: path(at), value });
    const node = (...children: [string, Snapshot][]) => ({ format: "node", children: new Map(children) }) as const;
    await add("./T/Made/a/Colour", chr("red"));
    await add("./T/Made/b", node(["Colour", chr("blue")]));
    await add("./T/Made/c/Parts", node());
    expect([...made]).toEqual([
      ["a", "red"],
      ["b", "blue"],
      ["c", ""],
    ]);
    expect([tree.has(path("./T/Made/c/Parts")), tree.has(path("./T/Made/c/Colour"))]).toEqual([true, false]);
    await change({ verb: "Delete", at: path("./T/Made/a/Colour") });
    expect(made.get("a")).toBe("");
    await change({ verb: "Replace", at: path("./T/Made/b/Colour"), value: chr("green") });
    await change({ verb: "Delete", at: path("./T/Made/c") });
    expect([...made]).toEqual([
      ["a", ""],
      ["b", "green"],
    ]);
    await expect(add("./T/Made/b", node())).rejects.toMatchObject({ status: 418 });
    await expect(add("./T/Made/d", node(["Size", int(1)]))).rejects.toMatchObject({ status: 405 });
    await expect(add("./T/Made/d", node(["Colour", int(1)]))).rejects.toMatchObject({ status: 415 });
    await expect(change({ verb: "Delete", at: path("./T/Made/a/Parts") })).rejects.toMatchObject({ status: 405 });
    await expect(change({ verb: "Rename", at: path("./T/Made/a"), name: "z" })).rejects.toMatchObject({ status: 405 });
    await expect(
      change(
        { verb: "Delete", at: path("./T/Made/b") },
        { verb: "Add", at: path("./T/Made/d/Colour"), value: chr("bad") },
      ),
    ).rejects.toMatchObject({ status: 400, index: 1, undone: true });
    expect(new Map(made)).toEqual(
      new Map([
        ["a", ""],
        ["b", "green"],
      ]),
    );
  });
});
