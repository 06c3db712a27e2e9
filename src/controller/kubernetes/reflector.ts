import { setTimeout as after } from "node:timers/promises";
import { DiscoveryV1Api, type KubeConfig, type V1EndpointSlice } from "@kubernetes/client-node";
import { within } from "../../io/time-limit.ts";
import { ask, KubernetesError, watch } from "./ask.ts";
import { type Slice, sliceOf } from "./slices.ts";

/** Whose slices are followed, and who is told. */
export interface Followed {
  readonly config: KubeConfig;
  readonly namespace: string;
  /** A watch was accepted: what is held is current, and stays so. */
  onReached(): void;
  /** Nothing more is heard, with the reason; said again at each try. */
  onLost(problem: string): void;
  /** After so long the server ends a watch, in milliseconds, so that a frozen connection is noticed. */
  readonly watchMs: number;
}

const PAGE = 500;
/** For one page of a list, and until a watch is accepted. */
const ANSWER_MS = 30_000;
/** So much later than the server would the client ends a watch. */
const SLACK_MS = 10_000;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [500, 15_000];

/** All slices of a namespace, kept current by a list and a watch from its version on, until it is closed. */
export class Reflector {
  readonly #followed: Followed;
  readonly #api: DiscoveryV1Api;
  readonly #ending = new AbortController();
  readonly #done: Promise<void>;
  #slices = new Map<string, Slice>();
  /** In a row; who may list and not watch fails each time. */
  #failures = 0;

  constructor(followed: Followed) {
    this.#followed = followed;
    this.#api = followed.config.makeApiClient(DiscoveryV1Api);
    this.#done = this.#run();
  }

  get slices(): Iterable<Slice> {
    return this.#slices.values();
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        let version: string | undefined = await this.#list();
        while (version !== undefined) version = await this.#watch(version);
        await this.#pause(FIRST_PAUSE_MS);
      } catch (error) {
        if (signal.aborted) return;
        this.#followed.onLost(error instanceof Error ? error.message : String(error));
        await this.#pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures));
        this.#failures += 1;
      }
    }
  }

  /** Many controllers must not come back in one moment. */
  #pause(ms: number): Promise<void> {
    return after(ms * (0.5 + Math.random()), undefined, { signal: this.#ending.signal }).catch(() => undefined);
  }

  /** The version from which a watch goes on. */
  async #list(): Promise<string> {
    const { namespace } = this.#followed;
    const slices = new Map<string, Slice>();
    let from: string | undefined;
    for (;;) {
      const asked = { namespace, limit: PAGE, ...(from !== undefined && { _continue: from }) };
      const page = await within(ANSWER_MS, this.#ending.signal, (signal) =>
        ask((options) => this.#api.listNamespacedEndpointSlice(asked, options), signal),
      );
      for (const slice of page.items) slices.set(slice.metadata?.uid ?? "", sliceOf(slice));
      from = page.metadata?._continue || undefined;
      if (from !== undefined) continue;
      this.#slices = slices;
      return page.metadata?.resourceVersion ?? "";
    }
  }

  /** One watch, until the server ends it: the version to go on from; undefined where that is gone, and a list must be read. */
  async #watch(version: string): Promise<string | undefined> {
    const { config, namespace, watchMs } = this.#followed;
    let newest = version;
    const begunMs = performance.now();
    const watched = {
      path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
      query: { allowWatchBookmarks: true, timeoutSeconds: Math.max(1, Math.round(watchMs / 1_000)), resourceVersion: version },
      what: `watch of endpointslices in ${namespace}`,
      answerMs: ANSWER_MS,
      onOpen: () => {
        this.#failures = 0;
        this.#followed.onReached();
      },
      onEvent: (type: string, slice: V1EndpointSlice) => {
        newest = this.#take(type, slice);
      },
    };
    try {
      await within(watchMs + SLACK_MS, this.#ending.signal, (signal) => watch(config, watched, signal));
    } catch (error) {
      if (error instanceof KubernetesError && error.status === 410) return undefined;
      throw error;
    }
    if (performance.now() - begunMs < FIRST_PAUSE_MS) await this.#pause(FIRST_PAUSE_MS);
    return newest;
  }

  /** The version that is known then. */
  #take(type: string, slice: V1EndpointSlice): string {
    const { uid = "", resourceVersion } = slice.metadata ?? {};
    if (resourceVersion === undefined) throw new Error(`an event (${type}) of the watch says no version`);
    if (type === "DELETED") this.#slices.delete(uid);
    else if (type !== "BOOKMARK") this.#slices.set(uid, sliceOf(slice));
    return resourceVersion;
  }
}
