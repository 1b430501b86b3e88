import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allows, formatAcl, local, parseAcl, server, withServer, withoutServer } from "../../tree/acl.ts";
import type { Acl } from "../../tree/acl.ts";

const acl = (text: string) => parseAcl(text) as Acl;

describe("parseAcl", () => {
  it.each([
    ["Get=*&Add=a+b", "Add=a+b&Get=*"],
    ["Get=b+a+b", "Get=a+b"],
    ["Get=a+*", "Get=*"],
    ["Get=a&Get=b", "Get=a+b"],
    [" Get=a ", "Get=a"],
    ["", ""],
  ])("reads %j as %j", (text, canonical) => expect(formatAcl(parseAcl(text))).toBe(canonical));

  it.each(["Get", "Get=", "Copy=*", "get=*", "Get=a b", "Get=a&&Add=b", "Get=a+", "=a", "Get=a=b"])(
    "refuses %j",
    (text) => {
      expect(() => parseAcl(text)).toThrow(expect.objectContaining({ status: 400 }) as Error);
    },
  );

  it("refuses a list that is too long, and never fails otherwise", () => {
    expect(() => parseAcl(`Get=${"a+".repeat(9000)}a`)).toThrow(expect.objectContaining({ status: 413 }) as Error);
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("Get", "Add", "=", "+", "&", "*", "a", " ") }), (text) => {
        try {
          const once = formatAcl(parseAcl(text));
          expect(formatAcl(parseAcl(once))).toBe(once);
        } catch (error) {
          expect(error).toMatchObject({ status: 400 });
        }
      }),
    );
  });
});

it("binds servers, not the gateway's own CLI", () => {
  expect(allows(acl("Get=a"), "Get", server("a"))).toBe(true);
  expect(allows(acl("Get=a"), "Get", server("a.b"))).toBe(false);
  expect(allows(acl("Get=a.b"), "Get", server("a"))).toBe(false);
  expect(allows(acl("Get=a"), "Replace", server("a"))).toBe(false);
  expect(allows(acl("Get=a"), "Replace", local)).toBe(true);
});

it("takes a server out, and puts one in", () => {
  expect(formatAcl(withoutServer(acl("Get=a+b&Add=a"), "a", false))).toBe("Get=b");
  expect(withoutServer(acl("Get=a"), "a", false)).toBeUndefined();
  expect(formatAcl(withoutServer(acl("Get=a"), "a", true))).toBe("Get=*");
  expect(formatAcl(withServer(acl("Get=*"), "a", ["Get", "Add"]))).toBe("Add=a&Get=*");
});
