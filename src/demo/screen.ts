import { type Picture, pictureBlock, pictureLine } from "./view.ts";

/** Where the demo shows what happens. */
export interface Screen {
  /** A line that stays. */
  say(text: string): void;
  /** The picture of now: over the one before on a terminal, else a line more. */
  draw(picture: Picture): void;
}

const ERASE_BELOW = "\u001b[J";
const up = (lines: number): string => (lines === 0 ? "" : `\u001b[${lines}A`);

/** Shows on a terminal, or in a log where `columns` says undefined. */
export function createScreen({ write, columns }: { write(text: string): void; columns(): number | undefined }): Screen {
  let drawn = 0;
  const erase = (): string => `${up(drawn)}${drawn === 0 ? "" : ERASE_BELOW}`;
  return {
    say(text) {
      write(`${erase()}${text}\n`);
      drawn = 0;
    },
    draw(picture) {
      const width = columns();
      if (width === undefined) {
        write(`${pictureLine(picture)}\n`);
        return;
      }
      // A line that the terminal breaks would count as two, and the next picture would be drawn over half of it.
      const lines = pictureBlock(picture).map((line) => line.slice(0, Math.max(0, width - 1)));
      write(`${erase()}${lines.join("\n")}\n`);
      drawn = lines.length;
    },
  };
}
