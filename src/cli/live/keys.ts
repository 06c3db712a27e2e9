/** What a key says, or one character of what was pasted. */
export type Key =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "enter" | "escape" | "erase" | "up" | "down" | "interrupt" | "other" };

const NAMED: Readonly<Record<string, Exclude<Key["type"], "text">>> = {
  "\r": "enter",
  "\n": "enter",
  "\u001b": "escape",
  "\u007f": "erase",
  "\b": "erase",
  "\u001b[A": "up",
  "\u001bOA": "up",
  "\u001b[B": "down",
  "\u001bOB": "down",
  "\u0003": "interrupt",
};

// A sequence, or one character.
// oxlint-disable-next-line eslint/no-control-regex -- these are what a terminal sends
const KEYS = /\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])?|[^]/gu;

/** The keys in what a terminal sent; those that nobody asks for are `other`. */
export const keysIn = (sent: string): Key[] =>
  [...sent.matchAll(KEYS)].map(([key]): Key => {
    const type = NAMED[key];
    if (type !== undefined) return { type };
    return /^\P{Cc}/u.test(key) ? { type: "text", text: key } : { type: "other" };
  });
