import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { Table } from "../../src/core/decide/table.ts";

const names = fc.constantFrom("a", "b", "c", "d", "7", "constructor", "__proto__");
const changes = fc.array(fc.tuple(names, fc.option(fc.nat(9), { nil: undefined })), { maxLength: 8 }).map((list) => new Map(list));
/** Each step makes a table from one of those made before. */
const steps = fc.array(fc.record({ from: fc.nat(), changes }), { minLength: 1, maxLength: 20 });

function applied(before: ReadonlyMap<string, number>, next: ReadonlyMap<string, number | undefined>): Map<string, number> {
  const after = new Map(before);
  for (const [name, value] of next) {
    if (value === undefined) after.delete(name);
    else after.set(name, value);
  }
  return after;
}

const byName = ([a]: readonly [string, number], [b]: readonly [string, number]): number => (a < b ? -1 : 1);

describe("tables that were made from one another", () => {
  test.prop([steps])("hold what a Map of their own would hold, whatever was made from them since", (list) => {
    const made = [{ table: Table.empty<number>(), map: new Map<string, number>() }];
    for (const { from, changes } of list) {
      const { table, map } = made[from % made.length] ?? expect.fail();
      made.push({ table: table.with(changes), map: applied(map, changes) });
    }
    for (const { table, map } of made) {
      expect([...table].toSorted(byName)).toEqual([...map].toSorted(byName));
      expect([...table.keys()].toSorted()).toEqual([...map.keys()].toSorted());
      expect([...table.values()].toSorted((a, b) => a - b)).toEqual([...map.values()].toSorted((a, b) => a - b));
      expect(table.size).toBe(map.size);
      for (const name of ["a", "b", "c", "d", "7", "constructor", "__proto__", "e"])
        expect([table.get(name), table.has(name)]).toEqual([map.get(name), map.has(name)]);
    }
  });
});
