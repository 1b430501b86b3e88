/** Control characters, line separators, lone surrogates, and marks that nobody sees or that turn the writing direction. */
export const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** Text of a stranger, for people's eyes: on one line, what cannot be printed as U+FFFD, at most `max` UTF-16 units. */
export function printable(text: string, max: number): string {
  const line = text.trim().replace(/\s+/g, " ");
  return line.slice(0, max).toWellFormed().replace(unprintable, "\ufffd").trim();
}
