import type { Answer, Question } from "dns-packet";
import { isIPv6 } from "node:net";
import { gatewayServiceType } from "../../tree/project-names.ts";
import { typesName } from "../discovery/mdns-names.ts";
import { addressText } from "../discovery/text.ts";

/** RFC 6762 10: what names a host, or hangs on one, lives two minutes; the rest 75. */
const hostTtlS = 120;
const otherTtlS = 4500;
const serviceName = `${gatewayServiceType}.local`;
/**
 * The gateway listens on nothing for whoever finds it: there is no port to name. An SRV record is needed all the same, it leads to the host; RFC 6763 8 gives
 * such a record the port 0 ("no such service here"). Port 9 (discard), as avahi writes for _workstation._tcp, would send clients to a closed port.
 */
const noPort = 0;

/** A record of ours. */
export interface OwnRecord {
  readonly answer: Answer & { readonly name: string; readonly ttl: number };
  /** Nobody else may have one of that name and type: announced with the cache-flush bit. */
  readonly unique: boolean;
  /** Goes along with it (RFC 6763 12). */
  readonly along: readonly OwnRecord[];
}

/** Everything that is announced on one interface. */
export interface Zone {
  /** Full names, as they are announced. */
  readonly instance: string;
  readonly host: string;
  /** What is announced. */
  readonly records: readonly OwnRecord[];
  /** Those whose names are probed for. */
  readonly unique: readonly OwnRecord[];
  /** The answers to a question, known ones included. */
  answers(question: Pick<Question, "name" | "type">): readonly OwnRecord[];
}

/** `labels`: of the instance, and of the host; `text`: "name=value"; `addresses`: of the interface, without zones. */
export function gatewayZone(
  labels: { readonly instance: string; readonly host: string },
  text: readonly string[],
  addresses: readonly string[],
): Zone {
  const instance = `${labels.instance}.${serviceName}`;
  const host = `${labels.host}.local`;
  const own = (answer: OwnRecord["answer"], unique: boolean, along: readonly OwnRecord[] = []): OwnRecord => ({
    answer,
    unique,
    along,
  });
  const located = addresses.map((data) =>
    own({ type: isIPv6(data) ? "AAAA" : "A", name: host, ttl: hostTtlS, class: "IN", data }, true),
  );
  const nothingElse = (name: string, ttl: number, rrtypes: string[]) =>
    own({ type: "NSEC", name, ttl, class: "IN", data: { nextDomain: name, rrtypes } }, true);
  const hostTypes = [...new Set(located.map(({ answer }) => answer.type))];
  const hostHasNoMore = nothingElse(host, hostTtlS, hostTypes);
  const instanceHasNoMore = nothingElse(instance, hostTtlS, ["TXT", "SRV"]);
  const srvData = { priority: 0, weight: 0, port: noPort, target: host };
  const srv = own({ type: "SRV", name: instance, ttl: hostTtlS, class: "IN", data: srvData }, true, [
    ...located,
    hostHasNoMore,
  ]);
  const txt = own(
    { type: "TXT", name: instance, ttl: otherTtlS, class: "IN", data: text.map((t) => Buffer.from(t)) },
    true,
  );
  const listed = own({ type: "PTR", name: serviceName, ttl: otherTtlS, class: "IN", data: instance }, false, [
    srv,
    txt,
    ...located,
  ]);
  const typed = own({ type: "PTR", name: typesName, ttl: otherTtlS, class: "IN", data: serviceName }, false);
  const records = [listed, typed, srv, txt, ...located];

  return {
    instance,
    host,
    records,
    unique: [srv, txt, ...located],
    answers({ name, type }) {
      const asked = name.toLowerCase();
      const named = records.filter(({ answer }) => answer.name.toLowerCase() === asked);
      const found = named.filter(({ answer }) => (type as string) === "ANY" || answer.type === type);
      if (found.length > 0) return found;
      // RFC 6762 6.1: that a name which is ours has no such record is an answer too.
      if (asked === host.toLowerCase()) return [hostHasNoMore];
      return asked === instance.toLowerCase() ? [instanceHasNoMore] : [];
    },
  };
}

/** The record as one line of text: two are the same record when these are equal. Names are compared without regard to case. */
export function recordText(answer: Answer): string {
  const { name, type } = answer;
  const head = `${name.toLowerCase()} ${type} `;
  switch (answer.type) {
    case "PTR":
      return head + answer.data.toLowerCase();
    case "A":
    case "AAAA":
      return head + addressText(answer.data);
    case "SRV": {
      const { priority = 0, weight = 0, port, target } = answer.data;
      return `${head}${priority} ${weight} ${port} ${target.toLowerCase()}`;
    }
    case "TXT":
      return (
        head +
        [answer.data]
          .flat()
          .map((part) => Buffer.from(part).toString("hex"))
          .join(" ")
      );
    default:
      return head + ("data" in answer ? JSON.stringify(answer.data) : "");
  }
}
