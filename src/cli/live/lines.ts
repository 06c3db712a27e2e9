import { styleText } from "node:util";
import stringWidth from "string-width";

/** How a piece of a line looks, by the names of `util.styleText`. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "inverse";

/** A piece of a line: plain text, or text with a style. */
export type Piece = string | readonly [text: string, style: Style];

/** A line of the screen, from left to right. */
export type Line = readonly Piece[];

// Controls, and those that turn the direction of writing: text of people must neither move the cursor nor hide what stands beside it.
const UNSAFE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const graphemes = new Intl.Segmenter();

/** A line as plain text. */
export const plain = (line: Line): string => line.map(textOf).join("");

/** A line for a terminal: not longer than so many columns, with nothing in it that moves the cursor. */
export function paint(line: Line, columns: number, isColoured: boolean): string {
  let left = columns;
  let painted = "";
  for (const piece of line) {
    const text = cut(textOf(piece).replaceAll(UNSAFE, "·"), left);
    left -= stringWidth(text);
    painted += typeof piece === "string" || !isColoured || text === "" ? text : styleText(piece[1], text, { validateStream: false });
  }
  return painted;
}

const textOf = (piece: Piece): string => (typeof piece === "string" ? piece : piece[0]);

function cut(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  let left = columns - 1;
  let kept = "";
  for (const { segment } of graphemes.segment(text)) {
    left -= stringWidth(segment);
    if (left < 0) break;
    kept += segment;
  }
  return columns < 1 ? "" : `${kept}…`;
}
