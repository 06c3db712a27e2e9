import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MESSAGE_TABLES_PATH, messageTablesText } from "../../../scripts/message-tables.ts";
import { NATS_PERMISSIONS_PATH, natsPermissionsText } from "../../../scripts/nats-permissions.ts";
import { referencePages } from "../../../scripts/reference.ts";
import { METRIC_FACTS } from "../../../src/contract/metric-facts.ts";
import { METRICS } from "../../../src/contract/names.ts";
import { packageRoot } from "../../../src/io/package-root.ts";

test.each(Object.entries(referencePages()))("docs/reference/%s is what the contract says; `npm run docs` makes it", (name, text) => {
  expect(readFileSync(join(packageRoot(), "docs", "reference", name), "utf8")).toBe(text);
});

test("the tables of Envoy's messages are what the protocol files say; `npm run docs` makes them", () => {
  expect(readFileSync(join(packageRoot(), MESSAGE_TABLES_PATH), "utf8")).toBe(messageTablesText());
});

test("the permissions that NATS is told are what the contract says; `npm run docs` makes them", () => {
  expect(readFileSync(join(packageRoot(), NATS_PERMISSIONS_PATH), "utf8")).toBe(natsPermissionsText());
});

test("every metric is explained, each once", () => {
  expect(METRIC_FACTS.map(({ name }) => name).toSorted()).toEqual(Object.values(METRICS).toSorted());
});
