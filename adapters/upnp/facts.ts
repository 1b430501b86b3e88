import type { Face, Facts } from "../adapter.ts";
import { everyDevice } from "./description.ts";
import type { Described } from "./description.ts";

/** What the device says of itself, for people and for the join. */
export function factsOf({ texts, firmware, hardware }: Described): Facts {
  const { friendlyName, manufacturer, serialNumber } = texts;
  const model = modelOf(texts.modelName, texts.modelNumber);
  return {
    ...(friendlyName !== undefined && { name: friendlyName }),
    ...(manufacturer !== undefined && { maker: manufacturer }),
    ...(model !== undefined && { model }),
    ...(serialNumber !== undefined && { serial: serialNumber }),
    ...(firmware !== undefined && { firmware }),
    ...(hardware !== undefined && { hardware }),
  };
}

/**
 * The name of the model, and its number where that tells more: "Philips hue bridge 2015 BSB002". Many fill the number with a version ("1",
 * "v1.0"), their own name, or the model once more.
 */
function modelOf(name: string | undefined, number: string | undefined): string | undefined {
  if (name === undefined) return number;
  if (number === undefined || name.toLowerCase().includes(number.toLowerCase())) return name;
  const isVersion = /^v?\d{1,2}(\.\d+)*$/i.test(number);
  return /\d/.test(number) && !isVersion ? `${name} ${number}` : name;
}

/** The ids of the root device and of those in it, and the serial number. `foreign`: an id that another host announces is none of this device. */
export function cluesOf(root: Described, foreign: (id: string) => boolean): Face["clues"] {
  const { serialNumber } = root.texts;
  const inner = everyDevice(root)
    .slice(1)
    .filter(({ id }) => !foreign(id));
  return [
    { kind: "uuid", value: root.id },
    ...(serialNumber === undefined ? [] : [{ kind: "serial", value: serialNumber } as const]),
    ...inner.map(({ id }) => ({ kind: "uuid", value: id }) as const),
  ];
}
