import { describe, expect, test } from "vitest";
import type { PathMatch } from "../../../../src/contract/conditions.ts";
import { bySpecificity, cookieValue, hostName, pathMatches, pathOnly } from "../../../../src/core/decide/match.ts";

describe("the host of an authority", () => {
  test.each([
    ["shop.example", "shop.example"],
    ["Shop.EXAMPLE", "shop.example"],
    ["shop.example:8443", "shop.example"],
    ["shop.example:", "shop.example"],
    ["[2001:DB8::1]:8443", "[2001:db8::1]"],
    ["[2001:db8::1]", "[2001:db8::1]"],
    ["127.0.0.1:80", "127.0.0.1"],
    ["", ""],
    [":", ""],
  ])("of %j is %j", (authority, host) => {
    expect(hostName(authority)).toBe(host);
  });
});

describe("the path without its query", () => {
  test.each([
    ["/cart", "/cart"],
    ["/cart?x=1?y", "/cart"],
    ["/cart#top", "/cart"],
    ["?x", ""],
    ["/a#b?c", "/a"],
    ["/a?b#c", "/a"],
    ["/a#b", "/a"],
    ["", ""],
  ])("of %j is %j", (sent, path) => {
    expect(pathOnly(sent)).toBe(path);
  });
});

describe("a path matcher", () => {
  test.each<{ matcher: PathMatch; path: string; holds: boolean }>([
    { matcher: { prefix: "/cart" }, path: "/cart", holds: true },
    { matcher: { prefix: "/cart" }, path: "/cart/", holds: true },
    { matcher: { prefix: "/cart" }, path: "/cart/1/2", holds: true },
    { matcher: { prefix: "/cart" }, path: "/carts", holds: false },
    { matcher: { prefix: "/cart" }, path: "/car", holds: false },
    { matcher: { prefix: "/cart" }, path: "/Cart", holds: false },
    { matcher: { prefix: "/cart" }, path: "/a/cart", holds: false },
    { matcher: { prefix: "/cart/" }, path: "/cart/1", holds: true },
    { matcher: { prefix: "/cart/" }, path: "/cart/", holds: true },
    { matcher: { prefix: "/cart/" }, path: "/cart", holds: false },
    { matcher: { prefix: "/" }, path: "/", holds: true },
    { matcher: { prefix: "/" }, path: "/anything", holds: true },
    { matcher: { prefix: "/" }, path: "*", holds: true },
    { matcher: { prefix: "/" }, path: "", holds: true },
    { matcher: { exact: "/cart" }, path: "/cart", holds: true },
    { matcher: { exact: "/cart" }, path: "/cart/", holds: false },
    { matcher: { exact: "/" }, path: "/cart", holds: false },
  ])("$matcher against $path: $holds", ({ matcher, path, holds }) => {
    expect(pathMatches(matcher, path)).toBe(holds);
  });

  test("goes by exactness, then by length", () => {
    const sorted: PathMatch[] = [{ exact: "/a" }, { exact: "/b" }, { prefix: "/longer" }, { prefix: "/a" }, { prefix: "/" }];
    const mixed: PathMatch[] = [{ prefix: "/" }, { exact: "/a" }, { prefix: "/longer" }, { prefix: "/a" }, { exact: "/b" }];
    expect(mixed.toSorted(bySpecificity)).toEqual(sorted);
  });
});

describe("a cookie's value", () => {
  test.each([
    { title: "alone", headers: ["session=1"], value: "1" },
    { title: "among others", headers: ["a=b; session=1; c=d"], value: "1" },
    { title: "without blanks between", headers: ["a=b;session=1;c=d"], value: "1" },
    { title: "with blanks around", headers: ["  session =  1  ;"], value: "1" },
    { title: "in a later header", headers: ["a=b", "session=1"], value: "1" },
    { title: "the first of two", headers: ["session=1; session=2"], value: "1" },
    { title: "with = inside", headers: ["session=a=b=="], value: "a=b==" },
    { title: "in quotes", headers: ['session="1"'], value: "1" },
    { title: "of one quote only", headers: ['session="'], value: '"' },
    { title: "of an opening quote only", headers: ['session="1'], value: '"1' },
    { title: "empty", headers: ["session="], value: "" },
    { title: "after a pair without =", headers: ["flag; session=1"], value: "1" },
    { title: "not of a name that ends alike", headers: ["xsession=1"], value: undefined },
    { title: "not of another case", headers: ["Session=1"], value: undefined },
    { title: "not without =", headers: ["session"], value: undefined },
    { title: "not from another's value", headers: ["a=session=1"], value: undefined },
    { title: "not from an empty header", headers: [""], value: undefined },
    { title: "not without headers", headers: [], value: undefined },
  ])("$title", ({ headers, value }) => {
    expect(cookieValue(headers, "session")).toBe(value);
  });
});
