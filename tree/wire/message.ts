import type { Format } from "../value.ts";

/**
 * A SyncML message of OMA DM as data: what both roles of a conversation build and read, free of XML and WBXML.
 * Texts are as on the wire, trimmed where the standard ignores white space (addresses, types, numbers). RepPro 1.2.1.
 */
export interface Message {
  readonly header: Header;
  readonly commands: readonly Command[];
  /** The last message of its package. */
  readonly final: boolean;
}

export interface Header {
  readonly verDtd: string;
  readonly verProto: string;
  readonly sessionId: string;
  readonly msgId: string;
  readonly target: Address;
  readonly source: Address;
  readonly respUri?: string;
  readonly noResp?: boolean;
  readonly cred?: Cred;
  readonly maxMsgSize?: number;
  readonly maxObjSize?: number;
}

export interface Address {
  readonly uri: string;
  readonly name?: string;
}

export type AuthType = "syncml:auth-basic" | "syncml:auth-md5" | "syncml:auth-MAC";

export interface Cred {
  /** As sent; "syncml:auth-basic" where absent. */
  readonly type: string;
  readonly format?: string;
  readonly data: string;
}

export interface Chal {
  readonly type: string;
  readonly format?: string;
  /** Base64, as on the wire. */
  readonly nextNonce?: string;
}

export interface Meta {
  readonly format?: Format | (string & {});
  readonly type?: string;
  readonly size?: number;
  readonly mark?: string;
}

export interface Item {
  readonly target?: Address;
  readonly source?: Address;
  /** Item Meta, completed by the command's Meta (the item's wins). */
  readonly meta: Meta;
  /** undefined: no Data element. "" : an empty one. Bytes where the encoding carries them (WBXML opaque). */
  readonly data?: string | Uint8Array;
  readonly moreData: boolean;
}

/** A command without CmdID has cmdId "" (it is answered 400 with an empty CmdRef). */
export type Command =
  | {
      readonly name: "Status";
      readonly cmdId: string;
      readonly msgRef: string;
      readonly cmdRef: string;
      readonly cmd: string;
      readonly targetRefs: readonly string[];
      readonly sourceRefs: readonly string[];
      readonly status: number;
      readonly chal?: Chal;
      readonly cred?: Cred;
      readonly items: readonly Item[];
    }
  | {
      readonly name: "Results";
      readonly cmdId: string;
      readonly msgRef: string;
      readonly cmdRef: string;
      readonly meta: Meta;
      readonly items: readonly Item[];
    }
  | {
      readonly name: "Alert";
      readonly cmdId: string;
      readonly noResp?: boolean;
      readonly code: number;
      readonly correlator?: string;
      readonly items: readonly Item[];
    }
  | {
      readonly name: EditName;
      readonly cmdId: string;
      readonly noResp?: boolean;
      readonly meta: Meta;
      readonly items: readonly Item[];
    }
  | {
      readonly name: "Exec";
      readonly cmdId: string;
      readonly noResp?: boolean;
      readonly correlator?: string;
      readonly meta: Meta;
      readonly items: readonly Item[];
    }
  | {
      readonly name: GroupName;
      readonly cmdId: string;
      readonly noResp?: boolean;
      readonly meta: Meta;
      readonly commands: readonly Command[];
    }
  /** An element under SyncBody that DM does not use (Put, Map, Search, Sync, Move) or that nobody knows. */
  | { readonly name: "Unknown"; readonly element: string; readonly cmdId: string };

export type CommandOf<Name extends Command["name"]> = Extract<Command, { name: Name }> | (Command & { name: Name });
export type EditName = "Add" | "Replace" | "Delete" | "Copy" | "Get";
export type GroupName = "Atomic" | "Sequence";
