import type { Clock } from "../../tree/ports.ts";

/** Answers to single askers, in a second. */
const limits = { ofLink: 32, ofSender: 4 } as const;

/** Whether one more answer to this sender is within what it, and its link, may ask for in this second. One for each link. */
export function answerBudget(clock: Clock): (sender: string) => boolean {
  const spent = new Map<string, number>();
  let ofLink = 0;
  let second = 0;
  return (sender) => {
    const now = Math.floor(clock.monotonic() / 1000);
    if (now !== second) {
      spent.clear();
      ofLink = 0;
    }
    second = now;
    const sum = (spent.get(sender) ?? 0) + 1;
    if (sum > limits.ofSender || ofLink >= limits.ofLink) return false;
    spent.set(sender, sum);
    ofLink++;
    return true;
  };
}
