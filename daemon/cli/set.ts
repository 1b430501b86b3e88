import { nodePath } from "./api.ts";
import { valueText } from "./node-lines.ts";
import type { Outcome } from "./outcome.ts";
import { tellOutcome } from "./outcome.ts";
import type { Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["set URI VALUE"],
  about:
    "Replaces the value of a leaf that is there; its format stays. Values of format bin are base64.\nA value that looks like an option goes behind --",
  words: [2, 2],
  kinds: ["uri"],
  examples: ["set ./Devices/d1/MQTT/light/power true", "set ./Devices/d1/MQTT/heater/offset -5", "set ./X -- --text"],
  async run(job) {
    const [uri = ".", value = ""] = job.words;
    const reply = await (await job.api()).send<Outcome>("PUT", `/v1/tree/${nodePath(uri)}`, { value });
    return tellOutcome(job, reply, `${reply.body.uri} => ${valueText(value)}`.trimEnd());
  },
};
