import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { openEvents } from "../../daemon/events.ts";
import { root } from "../../tree/path.ts";
import type { Rel } from "../../tree/path.ts";
import type { Changed } from "../../tree/shape.ts";
import { chr } from "../../tree/value.ts";
import { fakeClock } from "../fakes/clock.ts";
import { path } from "../tree/small-home.ts";
import type { SmallGateway } from "./small-gateway.ts";
import { smallControl } from "./small-gateway.ts";

interface Heard {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Reads an event stream; `pause` leaves what comes in the socket. */
function follow(socketPath: string, query = "", lastEventId?: string) {
  const events: Heard[] = [];
  const seen = { text: "", status: 0, ended: false };
  const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  const sent = request({ socketPath, path: `/v1/events${query}`, headers, agent: false });
  sent.on("error", () => (seen.ended = true));
  let pause = () => {};
  let resume = () => {};
  sent.on("response", (response) => {
    seen.status = response.statusCode ?? 0;
    pause = () => void response.pause();
    resume = () => void response.resume();
    response.on("close", () => (seen.ended = true));
    response.setEncoding("utf8").on("data", (chunk: string) => {
      const blocks = (seen.text + chunk).split("\n\n");
      seen.text = blocks.pop() ?? "";
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? "";
        if (field("data") !== "" || block.startsWith(":")) {
          const data = JSON.parse(field("data") || "{}") as Heard["data"];
          events.push({ id: field("id"), event: field("event") || "alive", data });
        }
      }
    });
  });
  sent.end();
  return { events, seen, pause: () => pause(), resume: () => resume(), stop: () => void sent.destroy() };
}

async function listening(home: SmallGateway & { socket: string }, query?: string, lastEventId?: string) {
  const stream = follow(home.socket, query, lastEventId);
  await expect.poll(() => stream.seen.status).toBe(200);
  return stream;
}

function say(home: SmallGateway, value: string, rel = "power") {
  home.lamps[0].values.set(rel, chr(value));
  home.mounted[0]?.changed([rel as Rel]);
}

describe("the event stream", () => {
  it("tells each change with who did it and the value as it is now", async () => {
    await using home = await smallControl();
    const stream = await listening(home);
    say(home, "on");
    await expect.poll(() => stream.events.length).toBe(1);
    await home.ask("PUT", "/v1/tree/Devices/d1/MQTT/power", { value: "off" });
    await home.ask("PUT", "/v1/tree/Devices", { prop: "Title", value: "All" });
    await home.ask("PUT", "/v1/tree/Devices", { prop: "ACL", value: "Get=*&Replace=alpha" });
    await home.ask("PUT", "/v1/tree/Devices/d1/MQTT/power?as=alpha", { value: "dim" });
    await expect.poll(() => stream.events.length).toBe(5);
    expect(
      stream.events.map(({ event, data }) => [event, data["uri"], data["verb"], data["by"], data["value"]]),
    ).toEqual([
      ["change", "./Devices/d1/MQTT/power", "Replace", "device", "on"],
      ["change", "./Devices/d1/MQTT/power", "Replace", "local", "off"],
      ["change", "./Devices", "Property", "local", undefined],
      ["change", "./Devices", "Property", "local", undefined],
      ["change", "./Devices/d1/MQTT/power", "Replace", "alpha", "dim"],
    ]);
    expect(stream.events[0]?.data["time"]).toBe("2026-01-01T00:00:00.000Z");
    stream.stop();
  });

  it("can be narrowed to a subtree, and still hears that the subtree goes", async () => {
    await using home = await smallControl();
    const stream = await listening(home, "?uri=./Devices/d1/MQTT/power");
    say(home, "5", "level");
    say(home, "on");
    home.mounted[0]?.unmount();
    await expect.poll(() => stream.events.length).toBe(2);
    expect(stream.events.map(({ data }) => [data["uri"], data["verb"]])).toEqual([
      ["./Devices/d1/MQTT/power", "Replace"],
      ["./Devices/d1/MQTT", "Delete"],
    ]);
    stream.stop();
    expect((await home.ask("GET", "/v1/events?uri=a//b")).status).toBe(400);
  });

  it("resumes behind the last event that was heard", async () => {
    await using home = await smallControl();
    const first = await listening(home);
    say(home, "one");
    await expect.poll(() => first.events.length).toBe(1);
    first.stop();
    say(home, "two");
    say(home, "three");
    const second = await listening(home, "", first.events[0]?.id);
    await expect.poll(() => second.events.length).toBe(2);
    expect(second.events.map(({ event }) => event)).toEqual(["change", "change"]);
    second.stop();
  });

  it("says gap for an id of another run, of the future, or that is no id, and goes on", async () => {
    await using home = await smallControl();
    for (const id of ["0123456789ab-3", "nonsense", "-1", `${"9".repeat(400)}`]) {
      const stream = await listening(home, "", id);
      await expect.poll(() => stream.events.length).toBe(1);
      expect(stream.events[0]?.event).toBe("gap");
      say(home, "on");
      await expect.poll(() => stream.events.length).toBe(2);
      expect(stream.events[1]?.event).toBe("change");
      stream.stop();
    }
  });

  it("says gap to a reader that slept while more happened than is remembered, and keeps nothing for it", async () => {
    await using home = await smallControl();
    const stream = await listening(home);
    stream.pause();
    const big = "x".repeat(60_000);
    for (let n = 0; n < 100; n++) {
      say(home, `${big}${n}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let n = 0; n < 11_000; n++) say(home, "small");
    stream.resume();
    await expect.poll(() => stream.events.some(({ event }) => event === "gap"), { timeout: 10_000 }).toBe(true);
    expect(stream.events.length).toBeLessThan(100);
    say(home, "after");
    await expect.poll(() => stream.events.at(-1)?.data["value"]).toBe("after");
    stream.stop();
  });

  it("gives the place of a reader that sleeps for good to somebody else", async () => {
    await using home = await smallControl();
    const stream = await listening(home);
    stream.pause();
    const big = "x".repeat(60_000);
    for (let n = 0; n < 100; n++) {
      say(home, `${big}${n}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await home.clock.advance(120_000);
    stream.resume();
    await expect.poll(() => stream.seen.ended).toBe(true);
  });

  it("beats while nothing happens, with the id that a quiet reader may resume from", async () => {
    await using home = await smallControl();
    const stream = await listening(home, "?uri=./DevInfo");
    say(home, "elsewhere");
    await home.clock.advance(15_000);
    await expect.poll(() => stream.events.length).toBe(1);
    expect(stream.events[0]).toMatchObject({
      event: "alive",
      id: expect.stringMatching(/^[0-9a-f]{12}-\d+$/) as string,
    });
    const again = await listening(home, "?uri=.", stream.events[0]?.id);
    say(home, "now");
    await expect.poll(() => again.events.map(({ data }) => data["value"])).toEqual(["now"]);
    stream.stop();
    again.stop();
  });

  it("leaves out the value of a device that does not answer quickly", async () => {
    await using home = await smallControl();
    const stream = await listening(home);
    home.lamps[0].silent = true;
    say(home, "on");
    await expect.poll(() => stream.events.length).toBe(1);
    expect(stream.events[0]?.data).not.toHaveProperty("value");
    stream.stop();
  });
});

describe("the ring", () => {
  it("remembers the last changes only, and tells a gap exactly when one was lost", () => {
    let tell: (changes: readonly Changed[]) => void = () => undefined;
    const tree = {
      watch(listener: typeof tell) {
        tell = listener;
        return () => undefined;
      },
    };
    const events = openEvents(tree as never, fakeClock(), 4);
    const change = (uri: string) => tell([{ at: path(uri), verb: "Replace", by: "device", volatile: false }]);
    const reader = events.read(root);
    const start = reader.id();
    for (const uri of ["./a", "./b", "./c", "./d"]) change(uri);
    const heard = [1, 2, 3, 4, 5].map(() => reader.next());
    expect(heard.map((event) => (event === "gap" ? event : event?.uri))).toEqual([
      "./a",
      "./b",
      "./c",
      "./d",
      undefined,
    ]);
    const late = events.read(root, start);
    expect(late.next()).toMatchObject({ number: 1 });
    change("./e");
    change("./f");
    expect(late.next()).toBe("gap");
    expect(late.next()).toBeUndefined();
    expect(events.read(root, start).next()).toBe("gap");
  });
});
