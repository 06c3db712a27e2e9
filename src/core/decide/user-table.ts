import { HIGH_WORD, LOW_WORD, type UserTable } from "../../contract/user-lists.ts";

/** Whether a table holds a user, given as `userHash` writes it; about 20 steps for a million users. */
export const holdsUser = (table: UserTable, user: string): boolean =>
  holdsWords(table, Number.parseInt(user.slice(0, 8), 16), Number.parseInt(user.slice(8), 16));

/** The same for a user given as the two words of its hash. */
export function holdsWords(table: UserTable, high: number, low: number): boolean {
  let from = 0;
  let to = table.length >>> 1;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (isBelow(table, middle * 2, high, low)) from = middle + 1;
    else to = middle;
  }
  return table[from * 2 + HIGH_WORD] === high && table[from * 2 + LOW_WORD] === low;
}

/** The index is always inside the table; `Number` only says so to the compiler. */
function isBelow(table: UserTable, at: number, high: number, low: number): boolean {
  const word = Number(table[at + HIGH_WORD]);
  return word === high ? Number(table[at + LOW_WORD]) < low : word < high;
}
