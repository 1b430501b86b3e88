import { serviceType } from "./mdns-names.ts";

const limits = { inAll: 64, ofSender: 16 } as const;

/** The types of services that an interface has told of (RFC 6763 9). Never forgotten, and bounded. */
export interface MdnsTypes {
  /** `data`: of a PTR record that lists a type. */
  learn(data: string, sender: string): void;
  list(): readonly string[];
}

export function mdnsTypes(): MdnsTypes {
  /** type -> who spoke of it first. */
  const types = new Map<string, string>();
  return {
    learn(data, sender) {
      const type = serviceType(data);
      if (type === undefined || types.has(type) || types.size >= limits.inAll) return;
      if ([...types.values()].filter((by) => by === sender).length < limits.ofSender) types.set(type, sender);
    },
    list: () => [...types.keys()],
  };
}
