// How the demo tells what happens: for somebody who sees dmgw for the first time.
const width = 100;
/** Of what a program printed. */
const widest = 150;

let chapters = 0;
let afterGap = true;
const began = performance.now();

/** A new part of the story. */
export function chapter(title: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  gap();
  line(`${`── ${++chapters}. ${title} `.padEnd(width - 8, "─")} ${seconds.padStart(5)} s`);
  gap();
}

/** A sentence or two, broken into lines. */
export function say(text: string): void {
  gap();
  let told = "";
  for (const word of text.split(/\s+/)) {
    if (told !== "" && told.length + word.length >= width) {
      line(told);
      told = "";
    }
    told += (told === "" ? "" : " ") + word;
  }
  line(told);
  gap();
}

/** What somebody typed, and what they saw. */
export function show(command: string, output = ""): void {
  gap();
  line(`    $ ${command}`);
  for (const seen of output.trimEnd().split("\n")) line(`    ${seen}`.trimEnd());
}

/** Something that happened on the wire or in a device. */
export function happened(who: string, what: string): void {
  const told = `    ${who.padEnd(10)} ${what}`;
  line(told.length <= widest ? told : `${told.slice(0, widest - 1)}…`);
}

function line(text: string): void {
  if (text === "" && afterGap) return;
  afterGap = text === "";
  console.log(text);
}

/** One empty line, not two. */
function gap(): void {
  line("");
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
