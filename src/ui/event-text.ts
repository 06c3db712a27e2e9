/** A stream that holds no end of an event in so much text is none of ours. */
const MOST_CHARACTERS = 16_000_000;

/**
 * Takes `text/event-stream` apart as it arrives in pieces, and gives the `data` of each event. Comments, which are signs of life, give
 * nothing. `push` throws RangeError on an event without end.
 */
export function eventReader(onData: (data: string) => void): { push(piece: string): void } {
  let rest = "";
  return {
    push(piece) {
      const blocks = (rest + piece).split("\n\n");
      rest = blocks.pop() ?? "";
      if (rest.length > MOST_CHARACTERS) throw new RangeError("an event of the stream does not end");
      for (const block of blocks) {
        const lines = block.split("\n").filter((line) => line.startsWith("data:"));
        if (lines.length > 0) onData(lines.map((line) => line.slice("data:".length).trimStart()).join("\n"));
      }
    },
  };
}
