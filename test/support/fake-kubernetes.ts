import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { TLSSocket } from "node:tls";
import { onTestFinished } from "vitest";

/** A pod behind a Service: by its name; ready unless it says otherwise. */
export interface FakePod {
  readonly name: string;
  readonly isReady?: boolean;
  readonly isEnding?: boolean;
  readonly image?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

interface Watch {
  readonly response: ServerResponse;
  readonly namespace: string;
}

type Body = Readonly<{ metadata: Readonly<{ name: string; namespace: string }>; [name: string]: unknown }>;

/**
 * An API server of Kubernetes as far as Serin asks it, in the shapes of its published types: lists in pages, watches that go on from a
 * version, 410 for one that is gone, Events that are refused when they are there.
 */
export class FakeKubernetes {
  url = "";
  readonly events: Body[] = [];
  readonly asked: string[] = [];
  /** Answers everything with this status; 0 leaves it without an answer. */
  failsWith: number | undefined;
  /** Who asks may list and not watch; 0 leaves a watch without an answer. */
  refusesWatches: boolean | 0 = false;
  /** Watches hear nothing more, and are not ended. */
  isFrozen = false;
  /** Who else is refused by 401: by the bearer's token, or by the name in a client's certificate. */
  knows: string | undefined;
  /** Objects in one page of a list. */
  page = 500;
  readonly #slices = new Map<string, { uid: string; version: number; namespace: string; service: string; pods: readonly FakePod[] }>();
  readonly #watches = new Set<Watch>();
  readonly #sockets = new Set<object>();
  #version = 10;
  #oldest = 0;

  /** With TLS where it is told the certificate, and whose certificates it believes. */
  static async start(tls?: Pick<ServerOptions, "cert" | "key" | "ca">): Promise<FakeKubernetes> {
    const fake = new FakeKubernetes();
    const answer = (request: IncomingMessage, response: ServerResponse): void => void fake.#answer(request, response);
    const asksAll = { requestCert: true, rejectUnauthorized: false };
    const server = tls === undefined ? createServer(answer) : createTlsServer({ ...tls, ...asksAll }, answer);
    server.on("connection", (socket) => {
      fake.#sockets.add(socket);
      socket.once("close", () => fake.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const { port } = server.address() as AddressInfo; // It listens on TCP.
    fake.url = tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`;
    return fake;
  }

  get watches(): number {
    return this.#watches.size;
  }

  /** Open ones. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** The pods behind a Service from now on. */
  serve(namespace: string, service: string, pods: readonly FakePod[]): void {
    const key = `${namespace}/${service}`;
    const isNew = !this.#slices.has(key);
    this.#version += 1;
    this.#slices.set(key, { uid: `uid-${key}`, version: this.#version, namespace, service, pods });
    this.#tell(namespace, isNew ? "ADDED" : "MODIFIED", this.#sliceOf(key));
  }

  /** Takes a Service away. */
  remove(namespace: string, service: string): void {
    const key = `${namespace}/${service}`;
    this.#version += 1;
    const slice = this.#sliceOf(key);
    this.#slices.delete(key);
    this.#tell(namespace, "DELETED", slice);
  }

  /** Says that nothing has changed so far. */
  bookmark(namespace: string): void {
    this.#tell(namespace, "BOOKMARK", { kind: "EndpointSlice", metadata: { resourceVersion: String(this.#version) } });
  }

  /** Forgets its history: who goes on from a version must list anew. `inStream` says so in open watches too. */
  compact(inStream: boolean): void {
    this.#version += 1;
    this.#oldest = this.#version;
    const gone = statusOf(410, "Expired", "too old resource version");
    if (inStream) for (const { namespace } of this.#watches) this.#tell(namespace, "ERROR", gone);
    this.endWatches();
  }

  /** Ends watches as a server does when their time is over; `isRude` cuts the connections. */
  endWatches(isRude = false): void {
    const ended = [...this.#watches];
    this.#watches.clear();
    for (const { response } of ended) {
      if (isRude) response.destroy();
      else response.end();
    }
  }

  /** Asked for since the last call. */
  takeAsked(): string[] {
    return this.asked.splice(0);
  }

  #tell(namespace: string, type: string, object: object): void {
    if (this.isFrozen) return;
    for (const watch of this.#watches) if (watch.namespace === namespace) watch.response.write(`${JSON.stringify({ type, object })}\n`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://fake");
    this.asked.push(`${request.method} ${pathname}${searchParams.has("watch") ? " watch" : ""}`);
    const body = Buffer.concat(await request.toArray()).toString();
    if (this.failsWith === 0 || (this.refusesWatches === 0 && searchParams.has("watch"))) return;
    if (this.knows !== undefined && this.knows !== nameOf(request)) return send(response, statusOf(401, "Unauthorized", "Unauthorized"));
    if (this.failsWith !== undefined) return send(response, statusOf(this.failsWith, "Failed", "the test says so"));
    const [, namespace = "", kind = "", name = ""] = /\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?$/.exec(pathname) ?? [];
    if (kind === "events" && request.method === "POST") return send(response, this.#create(namespace, JSON.parse(body)));
    if (kind === "pods") return send(response, this.#podOf(namespace, name));
    if (kind !== "endpointslices") return send(response, statusOf(404, "NotFound", "the server could not find the requested resource"));
    return searchParams.has("watch") ? this.#watch(namespace, searchParams, response) : send(response, this.#list(namespace, searchParams));
  }

  #list(namespace: string, query: URLSearchParams): Sent {
    const from = Number(query.get("continue") ?? "0");
    const all = [...this.#slices.keys()].filter((key) => key.startsWith(`${namespace}/`));
    const size = Math.min(this.page, Number(query.get("limit")));
    const more = from + size < all.length ? { continue: String(from + size) } : {};
    const items = all.slice(from, from + size).map((key) => this.#sliceOf(key));
    const metadata = { resourceVersion: String(this.#version), ...more };
    return { code: 200, kind: "EndpointSliceList", apiVersion: "discovery.k8s.io/v1", metadata, items };
  }

  #watch(namespace: string, query: URLSearchParams, response: ServerResponse): void {
    if (this.refusesWatches) return send(response, statusOf(403, "Forbidden", "cannot watch"));
    const from = Number(query.get("resourceVersion"));
    if (from < this.#oldest) return send(response, statusOf(410, "Expired", "too old resource version"));
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    const watch = { response, namespace };
    this.#watches.add(watch);
    response.once("close", () => this.#watches.delete(watch));
    for (const [key, slice] of this.#slices)
      if (slice.namespace === namespace && slice.version > from)
        response.write(`${JSON.stringify({ type: "MODIFIED", object: this.#sliceOf(key) })}\n`);
  }

  #create(namespace: string, event: Body): Sent {
    if (this.events.some(({ metadata }) => metadata.name === event.metadata.name))
      return statusOf(409, "AlreadyExists", `events "${event.metadata.name}" already exists`);
    if (event.metadata.namespace !== namespace) return statusOf(400, "BadRequest", "the namespace does not match");
    this.events.push(event);
    return { ...event, code: 201 };
  }

  #podOf(namespace: string, name: string): Sent {
    for (const slice of this.#slices.values()) {
      const pod = slice.namespace === namespace ? slice.pods.find((each) => each.name === name) : undefined;
      if (pod === undefined) continue;
      const { labels = {}, image = "shop:1.0" } = pod;
      const containers = [
        { name: "app", image },
        { name: "proxy", image: "envoy:1.40" },
      ];
      return { code: 200, kind: "Pod", apiVersion: "v1", metadata: { name, namespace, labels }, spec: { containers } };
    }
    return statusOf(404, "NotFound", `pods "${name}" not found`);
  }

  #sliceOf(key: string): object {
    const { uid, version, namespace, service, pods } = this.#slices.get(key) ?? noSlice(key);
    return {
      kind: "EndpointSlice",
      apiVersion: "discovery.k8s.io/v1",
      metadata: {
        name: `${service}-x7k2p`,
        namespace,
        uid,
        resourceVersion: String(version),
        labels: { "kubernetes.io/service-name": service },
      },
      addressType: "IPv4",
      endpoints: pods.map(({ name, isReady = true, isEnding = false }, index) => ({
        addresses: [`10.0.0.${index + 1}`],
        conditions: { ready: isReady && !isEnding, serving: isReady, terminating: isEnding },
        targetRef: { kind: "Pod", namespace, name, uid: `uid-${name}` },
      })),
      ports: [{ name: "", protocol: "TCP", port: 8080 }],
    };
  }
}

type Sent = Readonly<{ code: number; [name: string]: unknown }>;

const statusOf = (code: number, reason: string, message: string): Sent => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  reason,
  message,
  code,
});

const noSlice = (key: string): never => {
  throw new Error(`the test serves no ${key}`);
};

/** Who asks: the bearer's token, else the name in the client's certificate. */
function nameOf({ headers, socket }: IncomingMessage): string | undefined {
  const isKnown = socket instanceof TLSSocket && socket.authorized;
  return /^Bearer (?<token>.+)$/.exec(headers.authorization ?? "")?.groups?.["token"] ?? (isKnown ? commonName(socket) : undefined);
}

const commonName = (socket: TLSSocket): string => String(socket.getPeerCertificate().subject.CN);

function send(response: ServerResponse, body: Sent): void {
  response.writeHead(body.code, { "content-type": "application/json" }).end(JSON.stringify(body));
}
