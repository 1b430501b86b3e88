import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonText, printable } from "../../../daemon/cli/print.ts";
import { tableLines } from "../../../daemon/cli/table.ts";
import { padded, shortened, widthOf } from "../../../daemon/cli/width.ts";
import { listening } from "./cli.ts";

const terminal = (columns: number) => ({ ...listening().io, tty: true, columns });
/** Nothing that a terminal obeys, hides or turns around. */
const harmless = /^[^\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*$/u;

describe("names from the network", () => {
  it.each([
    ["plain name, ümlaut, 日本", "plain name, ümlaut, 日本"],
    ["red \u001b[31m\u009b", "red \\x1b[31m\\x9b"],
    ["line\nfeed\r\ttab", "line\\nfeed\\r\\ttab"],
    ["right\u202eleft\u2066x\u2069", "right\\u202eleft\\u2066x\\u2069"],
    ["zero\u200bwidth\u200d\u2060\ufeff", "zero\\u200bwidth\\u200d\\u2060\\ufeff"],
    ["soft\u00adhyphen, fillers \u3164\u115f\uffa0", "soft\\xadhyphen, fillers \\u3164\\u115f\\uffa0"],
    ["tags \u{e0041}", "tags \\u{e0041}"],
    ["half \ud83d", "half \\ud83d"],
    ["annotated \ufff9x\ufffb", "annotated \\ufff9x\\ufffb"],
    ["heart ❤\ufe0f, a\ufe0f", "heart ❤\ufe0f, a\\ufe0f"],
    ["e\u0301", "e\u0301"],
  ])("%j are printed as %s", (text, expected) => {
    expect(printable(text)).toBe(expected);
    expect(printable(expected)).toBe(expected);
    expect(JSON.parse(jsonText({ text }))).toEqual({ text });
    expect(jsonText(text, true)).toMatch(harmless);
  });

  it("have no more marks on a letter than a language puts there", () => {
    expect(printable(`a${"\u0301".repeat(20)}`)).toBe(`a${"\u0301".repeat(8)}${"\\u0301".repeat(12)}`);
  });

  it("are harmless and short whatever they are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), fc.integer({ min: 2, max: 60 }), (text, width) => {
        const short = shortened(text, width);
        expect(printable(text)).toMatch(harmless);
        expect(short).toMatch(harmless);
        expect(widthOf(short)).toBeLessThanOrEqual(width + 1);
      }),
    );
  });

  it("are cut with … where they are long, however long they are", () => {
    expect(shortened("abcdef", 6)).toBe("abcdef");
    expect(shortened("abcdefg", 6)).toBe("abcde…");
    expect(shortened("日本語日本語", 7)).toBe("日本語…");
    expect(shortened("x".repeat(10_000_000), 10)).toBe("xxxxxxxxx…");
    expect(shortened(`a${"\u0301".repeat(10_000)}`, 10)).toMatch(/^a\u0301.*…$/u);
    expect(shortened("\u001b".repeat(3), 6)).toBe("\\x1b\\…");
  });

  it("take the columns that a terminal gives them", () => {
    expect(["a", "日", "한", "ｱ", "😀", "é", "e\u0301", "🇩🇪", "❤\ufe0f", "±", "Ａ"].map(widthOf)).toEqual([
      1, 2, 2, 1, 2, 1, 1, 2, 1, 1, 2,
    ]);
    expect(padded("日", 4)).toBe("日  ");
  });
});

describe("a table", () => {
  const rows = [
    ["d1", "日本語のテレビ", "on"],
    ["d2", "Lamp", "off"],
    ["d3", "😀 a\u202eb", ""],
  ];

  it("stands in straight columns, piped and on a terminal, with wide letters too", () => {
    const column = (line: string, word: string) => widthOf(line.slice(0, line.lastIndexOf(word)));
    for (const io of [listening().io, terminal(80)]) {
      const lines = tableLines(io, ["ID", "NAME", "STATE"], rows);
      const at = column(lines[0] ?? "", "STATE");
      expect(column(lines.find((one) => one.startsWith("d1")) ?? "", "on")).toBe(at);
      expect(column(lines.find((one) => one.startsWith("d2")) ?? "", "off")).toBe(at);
    }
    expect(tableLines(listening().io, ["ID", "NAME", "STATE"], rows)[3]).toMatch(/^d3 {2}😀 a\\u202eb +-$/u);
  });

  it("fits a terminal by going on below, and loses nothing", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.string({ unit: fc.constantFrom("a", " ", "日", "é") }), { minLength: 3, maxLength: 3 })),
        (cells) => {
          const lines = tableLines(terminal(30), ["ID", "NAME", "STATE"], cells);
          for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(30);
          const letters = (text: string) => [...text.replaceAll(" ", "")].sort().join("");
          expect(letters(lines.slice(2).join(""))).toBe(letters(cells.flat().join("")));
        },
      ),
    );
  });
});
