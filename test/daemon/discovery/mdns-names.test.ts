import { expect, it } from "vitest";
import { homeTypes, instanceName, serviceType } from "../../../daemon/discovery/mdns-names.ts";

it("knows the types of a home by names that can be asked for", () => {
  for (const type of homeTypes) expect(serviceType(`${type}.local`)).toBe(type);
  expect(new Set(homeTypes).size).toBe(homeTypes.length);
});

it("takes an instance's name apart, dots and all", () => {
  expect(instanceName("HP 4.0 (Büro)._ipp._tcp.local")).toEqual({
    key: "hp 4.0 (büro)._ipp._tcp.local",
    full: "HP 4.0 (Büro)._ipp._tcp.local",
    label: "HP 4.0 (Büro)",
    service: "_ipp._tcp",
  });
  expect(instanceName("_ipp._tcp.local")).toBeUndefined();
  expect(instanceName("kitchen.local")).toBeUndefined();
});
