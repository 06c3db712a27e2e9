import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { API_ROUTES } from "../../../src/contract/api.ts";
import { openApiDocument } from "../../../src/controller/api/openapi.ts";
import { OPERATIONS } from "../../../src/controller/api/operations.ts";

/** Every value of that key, wherever it stands. */
function valuesOf(key: string, within: unknown): unknown[] {
  if (typeof within !== "object" || within === null) return [];
  return Object.entries(within).flatMap(([name, value]) => [...(name === key ? [value] : []), ...valuesOf(key, value)]);
}

const at = (document: unknown, reference: unknown): unknown =>
  String(reference)
    .slice(2)
    .split("/")
    .reduce<unknown>((node, part) => Object(node)[part], document);

describe("the OpenAPI document", () => {
  test("is valid by the schema of OpenAPI 3.1", async () => {
    const result = await new Validator().validate({ ...structuredClone(openApiDocument()) });
    expect(result).toMatchObject({ valid: true });
  });

  test("refers to nothing that is not there", () => {
    const document = openApiDocument();
    const references = valuesOf("$ref", document);
    expect(references.length).toBeGreaterThan(50);
    expect(references.filter((reference) => at(document, reference) === undefined)).toEqual([]);
  });

  test("has every operation that the server has, once", () => {
    const ids = API_ROUTES.map(({ id }) => id);
    expect(valuesOf("operationId", openApiDocument()).toSorted()).toEqual(ids.toSorted());
    expect(Object.keys(OPERATIONS).toSorted()).toEqual(ids.toSorted());
  });
});
