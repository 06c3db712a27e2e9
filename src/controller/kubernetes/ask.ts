import { STATUS_CODES } from "node:http";
import {
  ApiException,
  type ConfigurationOptions,
  type HttpLibrary,
  IsomorphicFetchHttpLibrary,
  type KubeConfig,
  type V1Status,
  Watch,
} from "@kubernetes/client-node";

/** The library's own; it holds nothing. */
const http = new IsomorphicFetchHttpLibrary();

/** A page of a proxy, or what a program prints, need not stand whole in the log, in `status` and in the audit; in characters. */
const MAX_SAID = 300;

const shortened = (text: string): string => (text.length > MAX_SAID ? `${text.slice(0, MAX_SAID)}…` : text);

/** An answer other than 2xx. */
export class KubernetesError extends Error {
  override readonly name = "KubernetesError";
  readonly status: number;

  constructor(status: number, said: string) {
    super(shortened(`Kubernetes answers ${status}: ${said}`));
    this.status = status;
  }
}

/** Makes one request, which ends with the signal; that is for this one alone. Throws KubernetesError, and the signal's reason. */
export async function ask<Answer>(request: (options: ConfigurationOptions) => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted();
  const httpApi: HttpLibrary = {
    send(context) {
      context.setSignal(signal);
      return http.send(context);
    },
  };
  try {
    return await endedBy(signal, request({ httpApi }));
  } catch (error) {
    throw tellable(error instanceof ApiException ? new KubernetesError(error.code, saidIn(error.body) ?? statusText(error.code)) : error);
  }
}

/** What is watched. */
interface Watched<Item> {
  /** Of the collection, like `/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices`. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | number | boolean>>;
  /** What stands in the message of a refusal: the library keeps nothing of what the API says. */
  readonly what: string;
  /** So long it may take until it is accepted, in milliseconds. */
  readonly answerMs: number;
  /** It is accepted. */
  onOpen(): void;
  /** One event; what it throws ends the watch. */
  onEvent(type: string, object: Item): void;
}

/** Watches until the server ends it, or the signal, which is for this watch alone. Throws KubernetesError, and the signal's reason. */
export async function watch<Item>(config: KubeConfig, watched: Watched<Item>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { path, query, what, answerMs, onOpen, onEvent } = watched;
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  const silent = setTimeout(() => over.abort(new Error(`no answer within ${answerMs / 1_000} s`)), answerMs);
  const opened = (): void => {
    clearTimeout(silent);
    if (!ending.aborted) onOpen();
  };
  // The library would swallow what this throws.
  const hear = (type: string, object: Item & V1Status): void => {
    try {
      if (ending.aborted) return;
      if (type === "ERROR") throw new KubernetesError(object.code ?? 500, object.message ?? "the watch failed");
      onEvent(type, object);
    } catch (error) {
      over.abort(error);
    }
  };
  const watching = new Promise<void>((resolve, reject) => {
    const done = (error: (Error & { readonly statusCode?: number }) | null): void => {
      if (error === null) resolve();
      else over.abort(error.statusCode === undefined ? error : new KubernetesError(error.statusCode, `${error.message} (${what})`));
    };
    new Watch(endingWith(config, ending)).watch(path, query, hear, done).then(opened, reject);
  });
  try {
    await endedBy(ending, watching);
  } catch (error) {
    throw tellable(error);
  } finally {
    clearTimeout(silent);
    over.abort();
  }
}

/** The library lets nobody end a watch that was not answered yet. It makes an agent for each one, so that one's connections are closed. */
function endingWith(config: KubeConfig, signal: AbortSignal): KubeConfig {
  const login: KubeConfig = Object.create(config);
  login.applyToFetchOptions = async (options) => {
    const made = await config.applyToFetchOptions(options);
    signal.throwIfAborted();
    const { agent } = made;
    if (typeof agent === "object") signal.addEventListener("abort", () => agent.destroy(), { once: true });
    return made;
  };
  return login;
}

/** Whatever the library still does: a program that logs in may take its time. */
const endedBy = <Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> =>
  new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });

/** What may be told of an error. A header that cannot be sent is quoted by the library, with the token that it holds. */
function tellable(error: unknown): unknown {
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof TypeError && /header/i.test(text))
    return new Error("what logs in cannot be sent in a header; look for characters that do not belong there");
  return text.length > MAX_SAID && !(error instanceof KubernetesError) ? new Error(shortened(text)) : error;
}

const statusText = (code: number): string => STATUS_CODES[code] ?? "no success";

/** The message of the `Status` that the API answers with; undefined where it is none. */
function saidIn(body: unknown): string | undefined {
  try {
    const { message }: { message?: unknown } = Object(JSON.parse(String(body)));
    return typeof message === "string" ? message : undefined;
  } catch {
    return undefined; // A proxy's page.
  }
}
