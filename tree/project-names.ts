/**
 * Names that this project defines itself, because the standard's text was not at hand or has none. They are never called conformant, and they
 * stand only here, so that a real name can take the place of one when it is known.
 */

/** ./GwMO/DeviceInventory (OMA GwMO has such an MO; its node names could not be read). */
export const deviceInventoryUrn = "urn:dmgw:mo:device-inventory:1.0";

/** ./Devices/<n>/DevInfo */
export const deviceInfoUrn = "urn:dmgw:mo:device-info:1.0";

/** ./Devices/<n>/State */
export const deviceStateUrn = "urn:dmgw:mo:device-state:1.0";

/** A face that has not been found again since the start. */
export const absentFaceUrn = "urn:dmgw:mo:absent:1.0";

/** Generic alert (1226): a node below a subtree that the server asked to hear of has changed. */
export const changeAlertType = "urn:dmgw:at:change";

/** Property of a node: equal exactly when nothing that the asking principal may Get has changed below. */
export const fingerprintProperty = "Fingerprint";
