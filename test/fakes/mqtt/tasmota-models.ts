type Json = Record<string, unknown>;

/** A device as its owner set it up. */
export interface TasmotaModel {
  /** Twelve hex digits in upper case. */
  readonly mac: string;
  readonly name: string;
  readonly friendly?: readonly string[];
  readonly module: string;
  readonly version?: string;
  readonly address?: string;
  readonly topic: string;
  readonly fullTopic?: string;
  readonly prefixes?: readonly [command: string, stat: string, tele: string];
  /** Words for off, on, toggle, hold. */
  readonly words?: readonly [string, string, string, string];
  /** By index: 1 relay, 2 light, 3 half a shutter. */
  readonly relays: readonly number[];
  /** Subtype of its light: 1 dimmer, 2 CCT, 3 RGB, 4 RGBW, 5 RGBCCT. */
  readonly light?: number;
  readonly buttons?: readonly number[];
  /** Modes of the switches that report, by index. */
  readonly switches?: readonly number[];
  /** SetOptions, over the usual ones. */
  readonly options?: Readonly<Record<string, number>>;
  readonly battery?: boolean;
  /** What stands below SENSOR, shutters and switches apart. */
  readonly sensors?: Json;
  readonly state: TasmotaState;
}

/** What a device of the Tasmota firmware holds. */
export interface TasmotaState {
  /** On or off, by relay. */
  power: boolean[];
  dimmer?: number;
  /** Hue and saturation; the brightness is the dimmer. */
  color?: [hue: number, saturation: number];
  /** The white channels shine, not the colours. */
  isWhite?: boolean;
  ct?: number;
  fade?: boolean;
  speed?: number;
  scheme?: number;
  shutters?: {
    position: number;
    target: number;
    direction: number;
    tilt: number;
    readonly tilts?: readonly [number, number];
  }[];
  /** "Switch1" to its word. */
  switches?: Record<string, string>;
}

/** A plug that measures. */
export const energyPlug: TasmotaModel = {
  mac: "C44F33A1B0E7",
  name: "Washing machine",
  module: "Nous A1T",
  version: "14.4.1",
  address: "192.168.1.61",
  topic: "tasmota_A1B0E7",
  relays: [1],
  sensors: {
    ENERGY: {
      TotalStartTime: "2025-03-01T08:32:22",
      Total: 151.203,
      Yesterday: 0.812,
      Today: 0.407,
      Period: 3,
      Power: 43,
      ApparentPower: 51,
      ReactivePower: 27,
      Factor: 0.84,
      Voltage: 231,
      Current: 0.221,
    },
  },
  state: { power: [true] },
};

/** Four relays on a rail, three phases, words of their own, the topics turned round, answers off RESULT (SetOption4). */
export const relayBoard: TasmotaModel = {
  mac: "8CAAB55C11D2",
  name: "Boiler room",
  friendly: ["Circulation pump", "Solar pump", "Burner", "Light"],
  module: "4CH Relay",
  version: "12.5.0",
  address: "192.168.1.62",
  topic: "boiler",
  fullTopic: "house/%topic%/%prefix%",
  prefixes: ["do", "done", "told"],
  words: ["AUS", "EIN", "UM", "HALTEN"],
  relays: [1, 1, 1, 1],
  buttons: [1, 0],
  switches: [-1, 15],
  options: { 4: 1, 73: 1, 114: 1 },
  sensors: { ENERGY: { Power: [230, 12, 0], Voltage: [229, 231, 230] } },
  state: { power: [true, false, false, true], switches: { Switch2: "EIN" } },
};

/** A bulb with colours and white from cold to warm. */
export const colorBulb: TasmotaModel = {
  mac: "40F520FE3A09",
  name: "Reading lamp",
  module: "Athom 15W RGBCCT",
  version: "15.0.1(release-tasmota)",
  address: "192.168.1.63",
  topic: "tasmota_FE3A09",
  relays: [2],
  light: 5,
  state: { power: [true], dimmer: 60, color: [24, 80], ct: 300, fade: true, speed: 5, scheme: 0 },
};

/** A blind with slats. */
export const blind: TasmotaModel = {
  mac: "3C6105D7E21F",
  name: "South blind",
  module: "Shelly 2.5",
  version: "13.4.0",
  address: "192.168.1.64",
  topic: "tasmota_D7E21F",
  relays: [3, 3],
  sensors: { ANALOG: { Temperature: 48.2 }, TempUnit: "C" },
  state: {
    power: [false, false],
    shutters: [{ position: 100, target: 100, direction: 0, tilt: 0, tilts: [-90, 90] }],
  },
};

/** A battery in a box, that measures the air. */
export const airSensor: TasmotaModel = {
  mac: "A4CF12B3C4D5",
  name: "Greenhouse",
  module: "D1 mini",
  version: "13.1.0.2(tasmota)",
  address: "192.168.1.65",
  topic: "greenhouse",
  fullTopic: "%topic%/%prefix%/%id%/",
  relays: [],
  battery: true,
  sensors: {
    BME280: { Temperature: 21.4, Humidity: 48.1, DewPoint: 10.0, Pressure: 1013.2 },
    DS18B20: { Id: "0316A279E254", Temperature: 19.8 },
    PressureUnit: "hPa",
    TempUnit: "C",
  },
  state: { power: [] },
};
