// How the demo tells what happens: for somebody who sees dmgw for the first time.
const width = 100;

let chapters = 0;
const began = performance.now();

/** A new part of the story. */
export function chapter(title: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const head = `── ${++chapters}. ${title} `;
  console.log(`\n${head.padEnd(width - 8, "─")} ${seconds.padStart(5)} s\n`);
}

/** A sentence or two, broken into lines. */
export function say(text: string): void {
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + word.length >= width) {
      console.log(line);
      line = "";
    }
    line += (line === "" ? "" : " ") + word;
  }
  console.log(line);
}

/** What somebody typed, and what they saw. */
export function show(command: string, output: string, most = 40): void {
  console.log(`\n    $ ${command}`);
  indented(output, most);
}

/** Something that happened on the wire or in a device. */
export function happened(who: string, what: string): void {
  console.log(`    ${who.padEnd(10)} ${what}`);
}

/** Checks what the story has just claimed. @throws with the claim when it is not so */
export function claim(what: string, holds: boolean): asserts holds {
  if (!holds) throw new Error(`this should be so, and is not: ${what}`);
}

/** Waits until something is there. @throws with the claim when it is not there in time */
export async function eventually<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const until = performance.now() + 10_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    claim(`${what} (waited for 10 s)`, performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function indented(text: string, most: number): void {
  const lines = text.trimEnd().split("\n");
  for (const line of lines.slice(0, most)) console.log(`    ${line}`);
  if (lines.length > most) console.log(`    … ${lines.length - most} more lines`);
  console.log();
}
