import { happened } from "./story.ts";

export interface Overheard {
  /** Takes one line of the DM server. */
  readonly hear: (line: string) => void;
  /** Tells what was heard since the last time. */
  tell(): void;
}

/** Alerts of one kind in a row that are told one by one. */
const most = 4;

/** What the DM server says of its sessions, kept until the story has come to it; long rows of alerts are cut short. */
export function overhear(): Overheard {
  let lines: string[] = [];
  return {
    hear: (line) => void lines.push(line),
    tell() {
      let alerts = 0;
      for (const [n, line] of lines.entries()) {
        alerts = line.includes("Alert 1226") ? alerts + 1 : 0;
        if (alerts <= most) happened("DM server", line);
        const next = lines[n + 1];
        if (alerts > most && next?.includes("Alert 1226") !== true)
          happened("DM server", `    … and ${alerts - most} alerts more`);
      }
      lines = [];
    },
  };
}
