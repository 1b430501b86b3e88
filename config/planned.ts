// Keys of parts that this version does not have: their form is known, so that one file serves this version and later ones.
import * as v from "valibot";
import { described, flag, optional } from "../adapters/option-kinds.ts";

/** Whatever stands there: only a later version reads it. */
const later = v.pipe(v.unknown(), v.metadata({ form: "not in this version" }));

/** A part that `enabled: true` switches on; its other keys are taken as they are. */
export function plannedPart(what: string, ...keys: readonly string[]) {
  const enabled = v.pipe(
    flag,
    v.check((on) => !on, `this version has no ${what} yet: write false, or leave it out`),
  );
  const part: v.GenericSchema<object, { readonly enabled: boolean }> = v.object({
    enabled: v.optional(described(enabled, "not in this version: only false"), false),
    ...Object.fromEntries(keys.map((key) => [key, v.exactOptional(later)])),
  });
  return v.optional(described(part, `${what} (not in this version)`), {});
}

/** A key that by being there asks for a part that does not exist yet. */
export function plannedKey(what: string, description: string) {
  const never = v.pipe(
    later,
    v.check(() => false, `this version has no ${what} yet: leave it out`),
  );
  return optional(never, `${description} (not in this version)`);
}
