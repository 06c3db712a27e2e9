/** A request to the rollout of docs/examples/conditions.yaml, and the target that it meets, or the reason without one. */
export interface ConditionRequest {
  readonly title: string;
  readonly request: {
    readonly host: string;
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** Undefined for a connection over loopback. */
    readonly clientAddress?: string;
  };
  readonly target: string;
}

const ask = (
  headers: Readonly<Record<string, string>> = {},
  change: Partial<ConditionRequest["request"]> = {},
): ConditionRequest["request"] => ({
  host: "shop.example",
  method: "GET",
  path: "/orders",
  headers: { "x-region": "eu", "x-user-id": "ann", ...headers },
  ...change,
});

/** One request for each thing that the example says, and for what it does not. */
export const CONDITION_REQUESTS: readonly ConditionRequest[] = [
  { title: "a user of the share", request: ask(), target: "share" },
  { title: "a host below one", request: ask({}, { host: "eu.shop.example:80" }), target: "share" },
  { title: "another host", request: ask({}, { host: "shop.example.org" }), target: "no rollout" },
  { title: "a path of the template", request: ask({}, { path: "/users/7/orders?page=2" }), target: "share" },
  { title: "a path that is longer than the template", request: ask({}, { path: "/users/7/orders/8" }), target: "no rollout" },
  { title: "another method", request: ask({}, { method: "DELETE" }), target: "no rollout" },
  { title: "a header that is none of the list", request: ask({ "x-region": "us" }), target: "no rollout" },
  { title: "a header that is there", request: ask({ "x-partner": "acme", "x-app-version": "5.0.0" }), target: "never-partners" },
  { title: "a version of the range", request: ask({ "x-app-version": "4.2" }), target: "new-apps" },
  { title: "a version that is left out", request: ask({ "x-app-version": "4.3.1" }), target: "share" },
  { title: "no version at all", request: ask({ "x-app-version": "latest" }), target: "share" },
  { title: "a browser", request: ask({ "user-agent": "Mozilla/5.0 (X11) Gecko/20100101 Firefox/130.0" }), target: "browsers" },
  { title: "an older browser", request: ask({ "user-agent": "Mozilla/5.0 (X11) Gecko/20100101 Firefox/115.0" }), target: "share" },
  { title: "a cookie", request: ask({ cookie: "a=b; beta=1" }), target: "beta" },
  { title: "a parameter of the query", request: ask({}, { path: "/orders?beta=1" }), target: "beta" },
  { title: "a value that meets the expression", request: ask({ "x-mail": "ann.b@shop.example" }), target: "beta" },
  { title: "a value that meets it in part", request: ask({ "x-mail": "ann.b@shop.example.org" }), target: "share" },
  { title: "a number between", request: ask({ "x-cart-items": "20" }), target: "heavy" },
  { title: "a number that is too large", request: ask({ "x-cart-items": "100" }), target: "share" },
  { title: "a path and a method", request: ask({}, { path: "/orders/search/new" }), target: "searches" },
  { title: "a path and another method", request: ask({}, { path: "/orders/search", method: "POST" }), target: "share" },
  { title: "an address of IPv4", request: ask({}, { clientAddress: "192.0.2.7" }), target: "office" },
  { title: "an address of IPv6", request: ask({}, { clientAddress: "2001:db8::7" }), target: "office" },
];
