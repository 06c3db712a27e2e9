const NOTE = "<!-- Made by `npm run docs` from src/contract; do not edit. -->\n";

/** A generated page. */
export const page = (title: string, ...parts: string[]): string => `${NOTE}\n# ${title}\n\n${parts.join("\n\n")}\n`;

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** A table in Markdown. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");
