import * as v from "valibot";
import { described, flag, oneOf } from "../option-kinds.ts";

/** The UPnP devices of the LAN. */
export const upnpOptions = v.pipe(
  v.object({
    enabled: v.optional(described(flag, "read what UPnP devices say of themselves"), true),
    access: v.optional(
      described(
        oneOf("approve", "open"),
        "approve: a device is managed after a person approved it, since anyone on the LAN can say anything; open: every device is",
      ),
      "approve",
    ),
  }),
  v.description("UPnP devices that SSDP finds: descriptions, services, embedded devices; read only, without events"),
);

export type UpnpOptions = v.InferOutput<typeof upnpOptions>;
