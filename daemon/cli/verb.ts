import type { Api } from "./api.ts";
import type { Globals } from "./globals.ts";

/** Where a verb runs: the process, or a test. */
export interface Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly stdin?: NodeJS.ReadableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard output is a terminal. */
  readonly tty?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  /** Version of dmgw. */
  readonly version?: string;
  /** Fires when whoever called does not want to wait any longer. */
  readonly signal?: AbortSignal;
}

export interface Sink {
  write(text: string): unknown;
  on?(event: "error", listener: (error: Error) => void): unknown;
}

/** What stands for a word or an option's value, for completion. */
export type Kind = "uri" | "device" | "group" | "server" | "file" | readonly string[];

export interface Option {
  readonly name: string;
  /** What its value is called in the help; without it the option is a flag. */
  readonly value?: string;
  readonly kind?: Kind;
  readonly about: string;
}

export interface Verb {
  /** Each way to call it, without "dmgw". */
  readonly forms: readonly string[];
  /** What a person should know before the first use. */
  readonly about: string;
  readonly options?: readonly Option[];
  /** How many words it takes. */
  readonly words: readonly [least: number, most: number];
  /** What stands for the first word, the second, …; where that depends on the words before it, a function of these. */
  readonly kinds?: readonly (Kind | ((before: readonly string[]) => Kind | undefined))[];
  readonly examples?: readonly string[];
  /** Does it, and answers the exit code. @throws Failure. */
  run(job: Job): Promise<number>;
}

/** A line of the table of verbs; the verb's own file is loaded when it is called. */
export interface Row {
  readonly name: string;
  /** One line for the list; "" keeps it out of the list. */
  readonly about: string;
  readonly load: () => Promise<{ readonly verb: Verb }>;
}

/** One call of a verb. */
export interface Job {
  readonly words: readonly string[];
  readonly globals: Globals;
  readonly io: Io;
  readonly signal: AbortSignal;
  /** The table of all verbs, for those that speak about the others. */
  readonly verbs: readonly Row[];
  has(option: string): boolean;
  text(option: string): string | undefined;
  /** The daemon's local API; looks for the config only when it is asked for. */
  api(): Promise<Api>;
  /** A line on standard output; names that others chose are made harmless by whoever puts them into it. */
  line(text: string): void;
  /** One JSON value on standard output, on one line when it is one of many. */
  json(value: unknown, oneLine?: boolean): void;
  /** A line for a person, on standard error. */
  note(text: string): void;
}
