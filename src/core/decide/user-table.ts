import { HIGH_WORD, LOW_WORD, type UserTable } from "../../contract/user-lists.ts";

/** Whether a table holds a user, given as `userHash` writes it; about 20 steps for a million users. */
export function holdsUser(table: UserTable, user: string): boolean {
  const high = Number.parseInt(user.slice(0, 8), 16);
  const low = Number.parseInt(user.slice(8), 16);
  let from = 0;
  let to = table.length >>> 1;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (isBelow(table, middle * 2, high, low)) from = middle + 1;
    else to = middle;
  }
  return table[from * 2 + HIGH_WORD] === high && table[from * 2 + LOW_WORD] === low;
}

function isBelow(table: UserTable, at: number, high: number, low: number): boolean {
  const word = table[at + HIGH_WORD] ?? 0;
  return word === high ? (table[at + LOW_WORD] ?? 0) < low : word < high;
}
