import { Status } from "../../../tree/errors.ts";
import type { Command } from "../../../tree/wire/message.ts";
import { whole } from "../answer.ts";
import type { Answer } from "../answer.ts";

export const alertCodes = {
  serverInitiated: 1200,
  clientInitiated: 1201,
  nextMessage: 1222,
  abort: 1223,
  generic: 1226,
} as const;

export type AlertCommand = Extract<Command, { readonly name: "Alert" }>;

/** Display, confirmation, input and choices: they need a person, and a gateway has none at hand. */
export function asksAPerson({ code }: AlertCommand): boolean {
  return code >= 1100 && code <= 1199;
}

/** Only "next message" is for us to do; a person is not there, so user interaction is 406 (Protocol 1.2.1, 2.5). */
export async function alert(command: AlertCommand): Promise<readonly Answer[]> {
  return [whole(command, command.code === alertCodes.nextMessage ? Status.ok : Status.notSupported)];
}
