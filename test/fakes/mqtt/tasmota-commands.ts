import type { TasmotaModel, TasmotaState } from "./tasmota-models.ts";

type Json = Record<string, unknown>;

const usualWords = ["OFF", "ON", "TOGGLE", "HOLD"] as const;

/** Carries out a command as the firmware does: what goes onto RESULT, and the POWER topics that change with it. */
export function carriedOut(
  model: TasmotaModel,
  state: TasmotaState,
  command: string,
  payload: string,
): { readonly result: Json; readonly powers: readonly (readonly [string, string])[] } {
  const [, name = "", digits = ""] = /^([A-Z]+?)(\d*)$/.exec(command) ?? [];
  const index = digits === "" ? 1 : Number(digits);
  const before = [...state.power];
  const result = answered(model, state, name, index, payload);
  const powers = state.power.flatMap((on, i) =>
    on === before[i] ? [] : [[powerName(model, i), word(model, on)] as const],
  );
  return { result, powers };
}

function answered(model: TasmotaModel, state: TasmotaState, name: string, index: number, payload: string): Json {
  const number = payload === "" ? undefined : Number(payload);
  const light = model.relays.indexOf(2);
  const shutter = state.shutters?.[index - 1];
  if (name === "POWER" && index <= model.relays.length) {
    if (payload !== "") state.power[index - 1] = isOn(model, payload, state.power[index - 1] ?? false);
    return { [powerName(model, index - 1)]: word(model, state.power[index - 1] ?? false) };
  }
  if (name === "SHUTTERPOSITION" && shutter !== undefined) {
    if (number !== undefined) shutter.target = number;
    shutter.direction = Math.sign(shutter.target - shutter.position);
    const { position, direction, target, tilt } = shutter;
    return { [`Shutter${index}`]: { Position: position, Direction: direction, Target: target, Tilt: tilt } };
  }
  if (name === "SHUTTERTILT" && shutter !== undefined) {
    shutter.tilt = number ?? shutter.tilt;
    const { position, target, tilt } = shutter;
    return { [`Shutter${index}`]: { Position: position, Direction: 0, Target: target, Tilt: tilt } };
  }
  if (light < 0) return { Command: "Unknown" };
  if (name === "FADE") {
    state.fade = payload === "" ? state.fade === true : isOn(model, payload, state.fade === true);
    return { Fade: word(model, state.fade) };
  }
  if (name === "SPEED") return { Speed: (state.speed = number ?? state.speed ?? 1) };
  if (name === "SCHEME") return { Scheme: (state.scheme = number ?? state.scheme ?? 0) };
  if (name === "DIMMER" && number !== undefined) brighten(state, light, number);
  else if (name === "CT" && number !== undefined) {
    Object.assign(state, { ct: number, isWhite: true });
    brighten(state, light, state.dimmer ?? 100);
  } else if (name === "WHITE" && number !== undefined) {
    state.isWhite = true;
    brighten(state, light, number);
  } else if (name === "HSBCOLOR" && payload !== "") {
    const [hue = 0, saturation = 0, brightness = 0] = payload.split(",").map(Number);
    Object.assign(state, { color: [hue, saturation], isWhite: false });
    brighten(state, light, brightness);
  } else if (!["DIMMER", "CT", "WHITE", "HSBCOLOR"].includes(name)) return { Command: "Unknown" };
  return stateOf(model, state, false);
}

/** SetOption20 0: who changes a light switches it on, or off with 0. */
function brighten(state: TasmotaState, light: number, dimmer: number): void {
  state.dimmer = dimmer;
  state.power[light] = dimmer > 0;
}

/** Switches and lights, as STATE has them. `whole`: with what only STATE has of a light. */
export function stateOf(model: TasmotaModel, state: TasmotaState, whole: boolean): Json {
  const { light = 0 } = model;
  const powers = state.power.map((on, i) => [powerName(model, i), word(model, on)]);
  const json: Json = Object.fromEntries(powers) as Json;
  if (light === 0) return json;
  const { dimmer = 0, color = [0, 0], isWhite = false, ct = 153 } = state;
  const channels = channelsOf(light, state);
  const percents = channels.map((channel) => (channel === 0 ? 0 : Math.max(1, Math.round(channel / 2.55))));
  const hex = channels.map((channel) => channel.toString(16).toUpperCase().padStart(2, "0")).join("");
  return {
    ...json,
    Dimmer: dimmer,
    ...(light > 1 ? { Color: hex } : {}),
    ...(light >= 3 ? { HSBColor: `${color[0]},${color[1]},${isWhite ? 0 : dimmer}` } : {}),
    ...(light === 2 || light >= 4 ? { White: isWhite || light === 2 ? dimmer : 0 } : {}),
    ...(light === 2 || light === 5 ? { CT: ct } : {}),
    ...(light > 1 ? { Channel: percents } : {}),
    ...(whole && light >= 3 ? { Scheme: state.scheme ?? 0 } : {}),
    ...(whole ? { Fade: word(model, state.fade === true), Speed: state.speed ?? 1, LedTable: word(model, true) } : {}),
  };
}

function channelsOf(light: number, { dimmer = 0, color = [0, 0], isWhite = false, ct = 153 }: TasmotaState): number[] {
  const level = dimmer / 100;
  const warm = (ct - 153) / (500 - 153);
  const white = [1 - warm, warm].map((share) => Math.round(255 * level * share));
  if (light === 1) return [Math.round(255 * level)];
  if (light === 2) return white;
  const colored = isWhite ? [0, 0, 0] : rgb(color, level);
  if (light === 3) return colored;
  const off = light === 4 ? [0] : [0, 0];
  return [...colored, ...(isWhite ? (light === 4 ? [Math.round(255 * level)] : white) : off)];
}

function rgb([hue, saturation]: readonly [number, number], level: number): number[] {
  const channel = (n: number) => {
    const k = (n + hue / 60) % 6;
    return Math.round(255 * level * (1 - (saturation / 100) * Math.max(0, Math.min(k, 4 - k, 1))));
  };
  return [channel(5), channel(3), channel(1)];
}

function powerName(model: TasmotaModel, i: number): string {
  return model.relays.length === 1 ? "POWER" : `POWER${i + 1}`;
}

function word({ words = usualWords }: TasmotaModel, on: boolean): string {
  return words[on ? 1 : 0];
}

function isOn({ words = usualWords }: TasmotaModel, payload: string, now: boolean): boolean {
  const text = payload.toUpperCase();
  const position = words.findIndex((one) => one.toUpperCase() === text);
  if (position === 2 || text === "2") return !now;
  return position === 1 || text === "1" || text === "ON" || text === "TRUE";
}
