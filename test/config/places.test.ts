import { expect, test } from "vitest";
import { controlSocket, stateFolder } from "../../config/places.ts";
import type { PlacesConfig } from "../../config/places.ts";

const given: PlacesConfig = { state: "/srv/dmgw", control: { socket: "/srv/dmgw.sock" } };
const silent: PlacesConfig = { control: {} };
const systemd = { STATE_DIRECTORY: "/var/lib/dmgw-1:/var/lib/other", RUNTIME_DIRECTORY: "/run/dmgw-1" };

test.each([
  ["the config, before all else", given, systemd, 0, "/srv/dmgw", "/srv/dmgw.sock"],
  ["systemd's folders", silent, systemd, 0, "/var/lib/dmgw-1", "/run/dmgw-1/control.sock"],
  ["systemd's folders, for any user", silent, systemd, 1000, "/var/lib/dmgw-1", "/run/dmgw-1/control.sock"],
  ["root's folders", silent, {}, 0, "/var/lib/dmgw", "/run/dmgw/control.sock"],
  [
    "the home folder",
    silent,
    { HOME: "/home/u" },
    1000,
    "/home/u/.local/state/dmgw",
    "/home/u/.local/state/dmgw/control.sock",
  ],
  ["$XDG_STATE_HOME", silent, { HOME: "/home/u", XDG_STATE_HOME: "/x" }, 1000, "/x/dmgw", "/x/dmgw/control.sock"],
  [
    "no empty or relative folder",
    silent,
    { HOME: "/h", XDG_STATE_HOME: "x", STATE_DIRECTORY: "" },
    1,
    "/h/.local/state/dmgw",
    "/h/.local/state/dmgw/control.sock",
  ],
  [
    "a given state folder for the socket of a user",
    { state: "/s", control: {} },
    { HOME: "/h" },
    1000,
    "/s",
    "/s/control.sock",
  ],
])("the daemon lives in %s", (_, config, env, uid, state, socket) => {
  expect(stateFolder(config, env, uid)).toBe(state);
  expect(controlSocket(config, env, uid)).toBe(socket);
});

test("without any environment there is still a state folder", () => {
  expect(stateFolder(silent, {}, 1000)).toMatch(/^\/.*\/\.local\/state\/dmgw$/);
});
