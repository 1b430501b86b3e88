import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RuledDevice } from "../../../daemon/devices/group-rules.ts";
import { parseRule, ruleLimits } from "../../../daemon/devices/group-rules.ts";
import { DmError } from "../../../tree/errors.ts";

const tv: RuledDevice = {
  id: "d1",
  name: "Kitchen TV & radio",
  manufacturer: "Acme Corp",
  model: "X1*",
  firmware: "1.2.3",
  protocols: ["UPnP", "MQTT"],
  state: "managed",
};
const thing: RuledDevice = {
  id: "d2",
  name: "Küche",
  manufacturer: "",
  model: "",
  firmware: "",
  protocols: [],
  state: "seen",
};

describe("a rule", () => {
  it.each([
    ["maker=acme*", true],
    ["maker=acme", false],
    ["MAKER = ACME CORP ", true],
    ["maker=*corp & protocol=mqtt", true],
    ["protocol=MQTT&protocol=upnp", true],
    ["protocol!=MQTT", false],
    ["protocol!=CoAP", true],
    ["model=x?*", true],
    ["model=X1?", true],
    ["model=X?", false],
    ["firmware=1.2.?", true],
    ['name="kitchen tv & radio"', true],
    ["name=kitchen* | maker=nobody", true],
    ["maker=nobody | name=kitchen*", true],
    ["maker=nobody & name=kitchen* | state=managed", true],
    ["state=managed & maker=nobody | name=none", false],
    ["maker!=", true],
    ["name=*=*", false],
    ['name=""', false],
  ])("%s is %s for the television", (text, expected) => {
    expect(parseRule(text).matches(tv)).toBe(expected);
  });

  it("asks for what is not known with an empty value, and takes letters with marks in either spelling", () => {
    expect(parseRule("maker=").matches(thing)).toBe(true);
    expect(parseRule("maker= & model=*").matches(thing)).toBe(true);
    expect(parseRule("protocol=").matches(thing)).toBe(true);
    expect(parseRule("protocol!=MQTT").matches(thing)).toBe(true);
    expect(parseRule("name=ku\u0308CHE").matches(thing)).toBe(true);
    expect(parseRule("name=?").matches({ ...thing, name: "😀" })).toBe(true);
  });

  it.each([
    ["", /character 1: something is missing: expected one of maker, model, firmware, name, protocol, state/],
    ["maker=a &", /character 10: something is missing/],
    ["room=kitchen", /character 1: "room" is not known/],
    ["__proto__=x", /character 1: "__proto__" is not known/],
    ["maker", /character 6: expected = or != behind "maker"/],
    ["maker=a && model=b", /character 10: something is missing/],
    ['name="a', /character 6: a quote that is not closed/],
    ['name="a" b', /character 10: expected & or \|/],
    ['name=a"b"', /character 7: a quote/],
    ["(maker=a)", /character 1: "\(maker" is not known/],
    ["maker=a\nb", /character 8: a control character/],
  ])("that is wrong says where and what is allowed: %j", (text, message) => {
    expect(() => parseRule(text)).toThrow(message);
    expect(() => parseRule(text)).toThrow(expect.objectContaining({ status: 400 }) as Error);
  });

  it("has limits of length and terms", () => {
    expect(() => parseRule(`name=${"x".repeat(ruleLimits.bytes)}`)).toThrow(/at most 512 bytes/);
    const terms = (count: number) => Array.from({ length: count }, () => "name=x").join("|");
    expect(parseRule(terms(ruleLimits.terms)).matches(tv)).toBe(false);
    expect(() => parseRule(terms(ruleLimits.terms + 1))).toThrow(/more than 32 terms/);
  });

  it("takes no longer for a pattern that was made to be slow", () => {
    const rule = parseRule(`name=${"*a".repeat(250)}`);
    const began = performance.now();
    expect(rule.matches({ ...tv, name: "a".repeat(5000) + "b" })).toBe(false);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it("of any text is read or refused, and a pattern does what a regular expression would do", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 8 });
    fc.assert(
      fc.property(letters, letters, (pattern, name) => {
        const source = pattern.replace(/\*/g, "[^]*").replace(/\?/g, "[^]");
        const expected = new RegExp(`^${source}$`).test(name);
        expect(parseRule(`name="${pattern}"`).matches({ ...tv, name })).toBe(expected);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'makername=!&|" *?x\n'), maxLength: 40 }), (text) => {
        try {
          parseRule(text).matches(tv);
        } catch (error) {
          expect(error).toBeInstanceOf(DmError);
        }
      }),
    );
  });
});
