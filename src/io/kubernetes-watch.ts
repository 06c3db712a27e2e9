import { setTimeout as after } from "node:timers/promises";
import * as z from "zod";
import { type KubernetesApi, KubernetesError } from "./kubernetes-api.ts";

const MetaSchema = z.object({ resourceVersion: z.string().default(""), continue: z.string().default("") });
const ListSchema = z.object({ metadata: MetaSchema, items: z.array(z.unknown()) });
const EventSchema = z.object({ type: z.enum(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]), object: z.unknown() });
const StampSchema = z.object({ metadata: z.object({ uid: z.string().default(""), resourceVersion: z.string() }) });
const StatusSchema = z.object({ code: z.int().default(500), message: z.string().default("the watch failed") });

/** What is followed, and who is told; `parse` keeps what is needed of an object, and may throw. */
export interface Followed<Item> {
  readonly api: KubernetesApi;
  /** Of the collection, like `/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices`. */
  readonly path: string;
  parse(object: unknown): Item;
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

/** All objects of a collection, kept current by a list and a watch from its version on, until it is closed. */
export class Reflector<Item> {
  readonly #followed: Followed<Item>;
  readonly #ending = new AbortController();
  readonly #done: Promise<void>;
  #items = new Map<string, Item>();
  /** In a row; who may list and not watch fails each time. */
  #failures = 0;

  constructor(followed: Followed<Item>) {
    this.#followed = followed;
    this.#done = this.#run();
  }

  get items(): Iterable<Item> {
    return this.#items.values();
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
    const { api, path, parse } = this.#followed;
    const items = new Map<string, Item>();
    let from = "";
    for (;;) {
      const more = from === "" ? "" : `&continue=${encodeURIComponent(from)}`;
      const page = ListSchema.parse(await api.get(`${path}?limit=${PAGE}${more}`, this.#limit(ANSWER_MS)));
      for (const object of page.items) items.set(StampSchema.parse(object).metadata.uid, parse(object));
      from = page.metadata.continue;
      if (from !== "") continue;
      this.#items = items;
      return page.metadata.resourceVersion;
    }
  }

  /** One watch, until the server ends it: the version to go on from; undefined where that is gone, and a list must be read. */
  async #watch(version: string): Promise<string | undefined> {
    const { api, path, watchMs } = this.#followed;
    const seconds = Math.max(1, Math.round(watchMs / 1_000));
    const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=${seconds}&resourceVersion=${encodeURIComponent(version)}`;
    let newest = version;
    const begunMs = performance.now();
    const silent = new AbortController();
    const timer = setTimeout(() => silent.abort(new Error(`no answer within ${ANSWER_MS / 1_000} s`)), ANSWER_MS);
    const onOpen = (): void => {
      clearTimeout(timer);
      this.#failures = 0;
      this.#followed.onReached();
    };
    try {
      const limit = AbortSignal.any([silent.signal, this.#limit(watchMs + SLACK_MS)]);
      for await (const line of api.watch(`${path}?${query}`, onOpen, limit)) {
        const { type, object } = EventSchema.parse(JSON.parse(line));
        if (type === "ERROR") {
          const { code, message } = StatusSchema.parse(object);
          throw new KubernetesError(code, message);
        }
        newest = this.#take(type, object);
      }
    } catch (error) {
      if (error instanceof KubernetesError && error.status === 410) return undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
    if (performance.now() - begunMs < FIRST_PAUSE_MS) await this.#pause(FIRST_PAUSE_MS);
    return newest;
  }

  #take(type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK", object: unknown): string {
    const { uid, resourceVersion } = StampSchema.parse(object).metadata;
    if (type === "DELETED") this.#items.delete(uid);
    else if (type !== "BOOKMARK") this.#items.set(uid, this.#followed.parse(object));
    return resourceVersion;
  }

  #limit(ms: number): AbortSignal {
    return AbortSignal.any([this.#ending.signal, AbortSignal.timeout(ms)]);
  }
}
