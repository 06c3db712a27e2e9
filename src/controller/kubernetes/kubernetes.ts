import { CoreV1Api, EventsV1Api, type KubeConfig } from "@kubernetes/client-node";
import type { Audit } from "../../contract/messages.ts";
import { STABLE } from "../../contract/names.ts";
import type { Rollout } from "../../contract/rollout.ts";
import type { EndpointsSeen } from "../../core/plan/endpoints.ts";
import type { Pod } from "../../core/plan/stable-pods.ts";
import type { Clock } from "../../io/clock.ts";
import type { Logger } from "../../io/log.ts";
import { within } from "../../io/time-limit.ts";
import type { Delivered } from "../notify/deliver.ts";
import type { KubernetesOptions } from "../options.ts";
import { ask, KubernetesError } from "./ask.ts";
import { eventOf, type Regarding, serviceOf } from "./events.ts";
import { Reflector } from "./reflector.ts";
import { type Endpoint, endpointsOf } from "./slices.ts";

/** What was seen last counts for so long after a watch is lost: one that begins anew takes moments. */
const GRACE_MS = 10_000;
const ASK_MS = 5_000;
/** Pods that are asked for at once. */
const ABREAST = 8;

interface Namespace {
  readonly reflector: Reflector;
  /** Monotonic time since when nothing is heard; undefined while all is current. */
  lostMs: number | undefined;
  /** Null once it was reached. */
  problem: string | null;
}

type Options = Pick<KubernetesOptions, "pod" | "watchMs">;

interface Parts {
  readonly config: KubeConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly id: string;
}

/** What a controller asks of Kubernetes and tells it, while it leads. */
export class Kubernetes {
  readonly #pods: CoreV1Api;
  readonly #events: EventsV1Api;
  readonly #options: Options;
  readonly #parts: Parts;
  readonly #namespaces = new Map<string, Namespace>();

  constructor(options: Options, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.#pods = parts.config.makeApiClient(CoreV1Api);
    this.#events = parts.config.makeApiClient(EventsV1Api);
  }

  /** Endpoints of a Service as they were heard of last; the first question makes this controller listen. */
  endpoints(namespace: string, service: string): EndpointsSeen {
    const heard = this.#heard(namespace, service);
    return "problem" in heard ? heard : { ready: heard.filter(({ isReady }) => isReady).length, all: heard.length };
  }

  /** Listens in these namespaces alone. */
  keep(namespaces: ReadonlySet<string>): void {
    for (const [name, { reflector }] of this.#namespaces) {
      if (namespaces.has(name)) continue;
      this.#namespaces.delete(name);
      void reflector.close();
    }
  }

  /** The pods behind stable's Service. Throws where they cannot be known, with the reason. */
  async stablePods({ namespace, services }: NonNullable<Rollout["kubernetes"]>, signal: AbortSignal): Promise<readonly Pod[]> {
    const heard = this.#heard(namespace, services[STABLE] ?? "");
    if ("problem" in heard) throw new Error(heard.problem);
    const names = heard.flatMap(({ pod }) => pod ?? []);
    if (names.length < heard.length)
      throw new Error(`${heard.length - names.length} of stable's endpoints are no pods; use handover.when.http`);
    const waiting = heard.filter(({ isReady }) => !isReady).length;
    if (waiting > 0) throw new Error(`${waiting} of ${heard.length} of stable's endpoints are not ready`);
    const pods: Pod[] = [];
    for (let from = 0; from < names.length; from += ABREAST)
      pods.push(...(await Promise.all(names.slice(from, from + ABREAST).map((name) => this.#pod(namespace, name, signal)))));
    return pods;
  }

  /** Writes an Event about a rollout's Service, or about this pod where none is named. */
  async tell(line: Audit, rollout: Pick<Rollout, "kubernetes"> | undefined, signal: AbortSignal): Promise<Delivered> {
    try {
      const regarding = serviceOf(rollout) ?? this.#self();
      if (regarding === undefined) return { type: "told" };
      const event = { namespace: regarding.namespace, body: eventOf(line, regarding, this.#parts.id) };
      await within(ASK_MS, signal, (limited) => ask((options) => this.#events.createNamespacedEvent(event, options), limited));
      return { type: "told" };
    } catch (error) {
      return deliveredBy(error);
    }
  }

  /** Ends all that listens. */
  async close(): Promise<void> {
    const all = [...this.#namespaces.values()];
    this.#namespaces.clear();
    await Promise.all(all.map(({ reflector }) => reflector.close()));
  }

  #heard(namespace: string, service: string): readonly Endpoint[] | Readonly<{ problem: string }> {
    const { lostMs, problem, reflector } = this.#namespaces.get(namespace) ?? this.#listen(namespace);
    const isLost = problem !== null && (lostMs === undefined || this.#parts.clock.monotonicMs() - lostMs >= GRACE_MS);
    return isLost ? { problem } : endpointsOf(service, reflector.slices);
  }

  #listen(name: string): Namespace {
    const { config, clock, log } = this.#parts;
    const namespace: Namespace = {
      lostMs: undefined,
      problem: "Kubernetes has not answered yet",
      reflector: new Reflector({
        config,
        namespace: name,
        watchMs: this.#options.watchMs,
        onReached: () => {
          if (namespace.lostMs !== undefined) log.info({ namespace: name }, "Kubernetes tells of endpoints again");
          Object.assign(namespace, { lostMs: undefined, problem: null });
        },
        onLost: (problem) => {
          if (namespace.lostMs === undefined) log.warn({ namespace: name, problem }, "Kubernetes tells of no endpoints, trying on");
          // Until it was reached for the first time there is nothing that could still count.
          const nowMs = clock.monotonicMs();
          const sinceMs = namespace.problem === null ? nowMs : nowMs - GRACE_MS;
          Object.assign(namespace, { lostMs: namespace.lostMs ?? sinceMs, problem });
        },
      }),
    };
    this.#namespaces.set(name, namespace);
    return namespace;
  }

  async #pod(namespace: string, name: string, signal: AbortSignal): Promise<Pod> {
    const { metadata, spec } = await within(ASK_MS, signal, (limited) =>
      ask((options) => this.#pods.readNamespacedPod({ namespace, name }, options), limited),
    );
    const images = (spec?.containers ?? []).map((container) => [container.name, container.image ?? ""]);
    return { name, labels: metadata?.labels ?? {}, images: Object.fromEntries(images) };
  }

  /** The pod of this controller; undefined where it is none. */
  #self(): Regarding | undefined {
    const { config } = this.#parts;
    const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
    const { pod } = this.#options;
    return pod === undefined || namespace === undefined ? undefined : { apiVersion: "v1", kind: "Pod", namespace, name: pod };
  }
}

/** What is there already was told before; what the API calls the sender's fault will be no better later. */
function deliveredBy(error: unknown): Delivered {
  const why = error instanceof Error ? error.message : String(error);
  if (!(error instanceof KubernetesError)) return { type: "later", why };
  if (error.status === 409) return { type: "told" };
  // 401: a token that is just being renewed.
  return { type: error.status < 500 && error.status !== 429 && error.status !== 401 ? "never" : "later", why };
}
