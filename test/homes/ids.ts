import type { Random } from "./random.ts";

/** Makers' part of a MAC. */
const makers = ["00:1b:a9", "3c:2a:f4", "a4:77:33", "b8:27:eb", "00:11:32", "dc:a6:32", "5c:cf:7f"] as const;

export const macOf = (chance: Random): string => `${chance.pick(makers)}:${octets(chance, 3)}`;
export const madeUpMac = (chance: Random): string =>
  `${chance.hex(1)}${chance.pick(["2", "6", "a", "e"])}:${octets(chance, 5)}`;
const octets = (chance: Random, count: number) => Array.from({ length: count }, () => chance.hex(2)).join(":");
export const uuidOf = (chance: Random): string =>
  `${chance.hex(8)}-${chance.hex(4)}-4${chance.hex(3)}-a${chance.hex(3)}-${chance.hex(12)}`;
export const bare = (mac: string) => mac.replaceAll(":", "");
