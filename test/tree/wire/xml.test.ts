import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../tree/errors.ts";
import { childOf, elementsOf, readXml, textOf } from "../../../tree/wire/xml.ts";
import type { Element } from "../../../tree/wire/xml.ts";
import { escapeText, fitsXml, writeXml, xmlWriter } from "../../../tree/wire/xml-write.ts";
import { xmlText } from "./messages.ts";

const read = (text: string, limits = {}) => readXml(Buffer.from(text), limits);

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
    return (error as Error).message;
  }
  throw new ProtocolError("it was accepted");
}

describe("readXml", () => {
  it("gives names, namespaces, attributes and texts in document order", () => {
    const root = read(
      `<?xml version="1.0"?><a xmlns="urn:1" xmlns:p="urn:2" k="v" p:k="w" p:x="y">1<p:b/>2<c><![CDATA[<&]]>&#x41;</c></a>`,
    );
    expect([root.name, root.namespace]).toEqual(["a", "urn:1"]);
    expect([...root.attributes]).toEqual([
      ["k", "v"],
      ["x", "y"],
    ]);
    expect(textOf(root)).toBe("12");
    expect(elementsOf(root).map((e) => [e.name, e.namespace])).toEqual([
      ["b", "urn:2"],
      ["c", "urn:1"],
    ]);
    expect(textOf(childOf(root, "c") ?? root)).toBe("<&A");
    expect(childOf(root, "d")).toBeUndefined();
  });

  it("takes names from a device as they are, whatever they mean to JavaScript", () => {
    const root = read(`<__proto__ constructor="1" __proto__="2"><toString/></__proto__>`);
    expect(root.attributes.get("__proto__")).toBe("2");
    expect(root.attributes.get("valueOf")).toBeUndefined();
    expect(childOf(root, "toString")).toBeDefined();
  });

  it("reads a byte order mark, and a DOCTYPE without an internal subset", () => {
    expect(read(`\ufeff<!DOCTYPE a SYSTEM "http://x.test/a.dtd"><a/>`).name).toBe("a");
  });

  it.each([
    ["nothing", ""],
    ["text alone", "hello"],
    ["an open end", "<a><b></b>"],
    ["crossed tags", "<a><b></a></b>"],
    ["two roots", "<a/><b/>"],
    ["a double attribute", `<a b="1" b="2"/>`],
    ["an undeclared prefix", "<p:a/>"],
    ["an unknown entity", "<a>&nbsp;</a>"],
    ["a character that XML does not have", "<a>\u0001</a>"],
    ["NUL", "<a>\u0000</a>"],
    ["NUL by reference", "<a>&#0;</a>"],
    ["half a surrogate pair by reference", "<a>&#xD800;</a>"],
    ["control characters by way of XML 1.1", `<?xml version="1.1"?><a>&#1;</a>`],
    ["another encoding", `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`],
    ["an internal subset", `<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`],
    ["an external entity", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`],
    [
      "a billion laughs",
      `<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]><a>&d;</a>`,
    ],
    ["a parameter entity", `<!DOCTYPE a [<!ENTITY % x SYSTEM "http://x.test/x">%x;]><a/>`],
  ])("refuses %s", (_, text) => {
    expect(refusal(() => read(text))).not.toBe("");
  });

  it("refuses octets that are not UTF-8", () => {
    for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xe2, 0x82]]) {
      const bytes = Buffer.concat([Buffer.from("<a>"), Buffer.from(bad), Buffer.from("</a>")]);
      expect(refusal(() => readXml(bytes))).toContain("UTF-8");
    }
    expect(refusal(() => readXml(Buffer.from("<a/>", "utf16le")))).not.toBe("");
  });

  it("says where the fault is", () => {
    expect(refusal(() => read("<a>\n  <b></c>"))).toContain("line 2");
  });

  it("refuses what is over a limit, and takes what is just within", () => {
    const nested = (n: number) => "<a>".repeat(n) + "</a>".repeat(n);
    expect(read(nested(64)).name).toBe("a");
    expect(refusal(() => read(nested(65)))).toContain("deeper than 64");
    expect(read(`<a>${"<b/>".repeat(9)}</a>`, { elements: 10 }).children).toHaveLength(9);
    expect(refusal(() => read(`<a>${"<b/>".repeat(10)}</a>`, { elements: 10 }))).toContain("more than 10 elements");
    expect(refusal(() => read(`<a b="1" c="2" d="3"/>`, { attributes: 2 }))).toContain("attributes");
    expect(refusal(() => read("<a/> ", { bytes: 4 }))).toContain("at most 4");
  });

  it("refuses the worst documents of a megabyte in little time", () => {
    const worst = [
      "<a>".repeat(340_000),
      `<a ${Array.from({ length: 90_000 }, (_, i) => `x${i}="1"`).join(" ")}/>`,
      `<a ${Array.from({ length: 40_000 }, (_, i) => `xmlns:x${i}="urn:${i}"`).join(" ")}>${"<b/>".repeat(100)}</b>`,
      `<a>${"&amp;".repeat(190_000)}`,
      `<a>${"<![CDATA[]]>".repeat(80_000)}`,
      `<a b="${"&lt;".repeat(240_000)}`,
      "<".repeat(990_000),
      `<!DOCTYPE ${"(".repeat(990_000)}`,
      `<${"a".repeat(990_000)}`,
      `<a>${"]".repeat(990_000)}`,
    ];
    for (const text of worst) {
      const started = performance.now();
      refusal(() => read(text));
      expect(performance.now() - started).toBeLessThan(3000);
    }
  });
});

describe("writing XML", () => {
  it("escapes so that a reader gives exactly the same text", () => {
    fc.assert(
      fc.property(xmlText, (text) => {
        const out = xmlWriter();
        out.leaf("a", text);
        expect(textOf(read(out.text()))).toBe(text);
        const attributes = new Map([["k", text]]);
        const again = read(writeXml({ name: "a", namespace: "", attributes, children: [text] }));
        expect([textOf(again), again.attributes.get("k")]).toEqual([text, text]);
      }),
    );
  });

  it("never writes what XML cannot hold", () => {
    for (const text of ["\u0000", "a\u001bb", "\ud800", "\udc00x", "\uffff", "\ufffe", "ok\ud83d"]) {
      expect(fitsXml(text)).toBe(false);
      expect(refusal(() => escapeText(text))).toContain("base64");
    }
    expect(fitsXml("tab\tnewline\nreturn\r\u007f 🜁")).toBe(true);
  });

  it("writes a part of a document so that it stands on its own and reads the same", () => {
    const root = read(
      `<p:a xmlns:p="urn:1" xmlns="urn:2" p:k="&lt;&quot;&#10;"><b/>x &amp; y<p:c> <d xmlns=""/></p:c></p:a>`,
    );
    const text = writeXml(root);
    expect(text).toBe(`<a xmlns="urn:1" k="&lt;&quot;&#10;"><b xmlns="urn:2"/>x &amp; y<c> <d xmlns=""/></c></a>`);
    expect(shape(read(text))).toEqual(shape(root));
  });
});

function shape(element: Element): unknown {
  return [
    element.name,
    element.namespace,
    [...element.attributes],
    element.children.map((child) => (typeof child === "string" ? child : shape(child))),
  ];
}
