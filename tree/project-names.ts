/**
 * Names that this project defines itself, because the standard's text was not at hand or has none. They are never called conformant, and they
 * stand only here, so that a real name can take the place of one when it is known. Those that go over the wire never change their meaning.
 */

/** Generic alert (1226): the node in Source is different now, or (Format null) gone. */
export const atChange = "urn:dmgw:at:change";

/** ./GwMO/DeviceInventory (OMA GwMO has such an MO; its node names could not be read). */
export const deviceInventoryUrn = "urn:dmgw:mo:device-inventory:1.0";

/** ./Devices/<n>/DevInfo */
export const deviceInfoUrn = "urn:dmgw:mo:device-info:1.0";

/** ./Devices/<n>/State */
export const deviceStateUrn = "urn:dmgw:mo:device-state:1.0";

/** A face that has not been found again since the start. */
export const absentFaceUrn = "urn:dmgw:mo:absent:1.0";

/** ./Devices/<n>/MQTT */
export const mqttFaceUrn = "urn:dmgw:mo:mqtt:1.0";

/** What a gateway calls itself on the LAN by mDNS. Not registered with IANA. */
export const gatewayServiceType = "_dmgw._tcp";

/** What a gateway calls itself on the LAN by SSDP: a target without a description, so no UPnP device. */
export const gatewaySsdpTarget = "urn:dmgw:service:gateway:1";

/** ./Devices/<n>/UPnP */
export const upnpFaceUrn = "urn:dmgw:mo:upnp:1.0";

/** Header of SSDP messages of that target: the gateway's id. */
export const gatewayIdHeader = "ID.DMGW";
