/** Begins the line of a terminal anew. */
export const ERASE_LINE = "\r\u001b[K";

const BAR_WIDTH = 30;

/** A bar of what is done, 0…1, and of what; not longer than a line. */
export function barText(done: number, what: string, columns: number): string {
  const filled = Math.round(done * BAR_WIDTH);
  const text = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ${Math.floor(done * 100)} %  ${what}`;
  // A line that the terminal breaks cannot be drawn over.
  return text.slice(0, Math.max(0, columns - 1));
}
