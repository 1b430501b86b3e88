import { expect, it } from "vitest";
import { ConfigError } from "../../tree/errors.ts";
import { add, alert, atomic, copy, del, exec, get, replace, sequence } from "./dm-server/asks.ts";
import { parseScript } from "./dm-server/script.ts";

it("reads every line that a script may have", () => {
  const steps = parseScript(`# who are you?
    get ./DevInfo/DevId ./DevInfo/Mod
    replace ./a true            # the light
    replace ./a -12
    replace ./a two  words
    replace:chr ./a 12
    then
    add ./b
    add ./b/c text
    delete ./b ./c
    copy ./x ./y
    exec ./z
    exec ./z now then
    alert 1101 DR=0|Restart now?
    wait-alert 30
    get ./q
    atomic {
      replace ./a false
      add ./n 1
    }
    sequence {
      get ./a
    }`);
  expect(steps).toEqual([
    {
      asks: [
        get("./DevInfo/DevId", "./DevInfo/Mod"),
        replace("./a", true),
        replace("./a", -12),
        replace("./a", "two  words"),
        replace("./a", "12", { format: "chr" }),
      ],
    },
    {
      asks: [
        add("./b"),
        add("./b/c", "text"),
        del("./b", "./c"),
        copy("./x", "./y"),
        exec("./z"),
        exec("./z", "now then"),
        alert(1101, "DR=0", "Restart now?"),
      ],
    },
    { wait: 30_000 },
    { asks: [get("./q"), atomic([replace("./a", false), add("./n", 1)]), sequence([get("./a")])] },
  ]);
});

it("tells every line that is wrong", () => {
  const read = () => parseScript("get\nfly ./a\n}\ncopy ./a\nalert soon\natomic {\nsequence {\n");
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/"get" says too little[^]*"fly" is none of[^]*a } without[^]*copy FROM TO[^]*never closed/);
});
