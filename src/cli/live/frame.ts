import { type Line, paint } from "./lines.ts";

/** A terminal that a person looks at. */
export interface Terminal {
  columns(): number;
  rows(): number;
  /** False where `NO_COLOR` is set. */
  readonly isColoured: boolean;
  write(text: string): void;
  /** Called with what is typed, as the terminal sends it; absent where stdin is none. Returns the way to stop. */
  onKey?(listener: (key: string) => void): () => void;
  /** Called when its size is another. Returns the way to stop. */
  onResize(listener: () => void): () => void;
  /** Writes this should the program end before that is taken back by what this returns. */
  atExit(text: string): () => void;
}

/** Draws over a whole terminal. */
export interface Frame {
  /** Shows these lines, the first at the top; what does not fit below is left out. Nothing once it is closed. */
  draw(lines: readonly Line[]): void;
  /** Gives the terminal back as it was, with the last picture above the prompt. */
  close(): void;
}

const ENTER = "\u001b[?1049h\u001b[?25l\u001b[2J";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const ERASE_REST = "\u001b[K";
const ERASE_BELOW = "\u001b[J";
const place = (row: number): string => `\u001b[${row + 1};1H`;

/** Takes the terminal until it is closed. */
export function openFrame(terminal: Terminal): Frame {
  let drawn: readonly string[] = [];
  let size = "";
  let last: readonly Line[] = [];
  let isClosed = false;
  const keepAtExit = terminal.atExit(LEAVE);
  terminal.write(ENTER);
  const painted = (lines: readonly Line[]): string[] => lines.map((line) => paint(line, terminal.columns(), terminal.isColoured));
  return {
    draw(lines) {
      if (isClosed) return;
      last = lines;
      const now = `${terminal.columns()}x${terminal.rows()}`;
      const isSame = now === size;
      size = now;
      const next = painted(lines.slice(0, terminal.rows()));
      const before = isSame ? drawn : [];
      const changes = next.flatMap((text, row) => (text === before[row] ? [] : [`${place(row)}${text}${ERASE_REST}`]));
      const below = isSame && next.length >= before.length ? "" : `${place(next.length)}${ERASE_BELOW}`;
      drawn = next;
      if (changes.length > 0 || below !== "") terminal.write(`${changes.join("")}${next.length < terminal.rows() ? below : ""}`);
    },
    close() {
      isClosed = true;
      keepAtExit();
      terminal.write(`${LEAVE}${painted(last).join("\r\n")}${last.length > 0 ? "\r\n" : ""}`);
    },
  };
}
