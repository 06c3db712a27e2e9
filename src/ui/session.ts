import { useEffect, useReducer, useState } from "preact/hooks";
import type { StreamEvent } from "../contract/stream.ts";
import { type Api, apiWith } from "./api.ts";
import { follow } from "./follow.ts";
import { type Model, NOTHING, withEvent, withLines, withSeries } from "./model.ts";

/** The only place where a token is kept, and no longer than the tab is open. */
const KEPT = "serin-token";

/** What happens to the model. */
export type Change =
  | StreamEvent
  | Readonly<{ type: "lines"; of: string; lines: Parameters<typeof withLines>[2] }>
  | Readonly<{ type: "series"; of: string; points: Parameters<typeof withSeries>[2] }>
  | Readonly<{ type: "forget" }>;

function changed(model: Model, change: Change): Model {
  if (change.type === "lines") return withLines(model, change.of, change.lines);
  if (change.type === "series") return withSeries(model, change.of, change.points);
  return change.type === "forget" ? NOTHING : withEvent(model, change, Date.now());
}

/** A page in use. */
export interface Session {
  readonly model: Model;
  /** Undefined before somebody gave a token. */
  readonly api: Api | undefined;
  /** Why nothing comes; undefined while it comes. */
  readonly trouble: string | undefined;
  /** Why the token was not taken. */
  readonly refused: string | undefined;
  change(change: Change): void;
  signIn(token: string): void;
  signOut(): void;
}

/** Follows the stream while there is a token. */
export function useSession(): Session {
  const [token, setToken] = useState(() => sessionStorage.getItem(KEPT) ?? undefined);
  const [model, change] = useReducer(changed, NOTHING);
  const [trouble, setTrouble] = useState<string>();
  const [refused, setRefused] = useState<string>();
  const [api, setApi] = useState<Api>();
  const leave = (why?: string): void => {
    sessionStorage.removeItem(KEPT);
    setToken(undefined);
    setRefused(why);
    change({ type: "forget" });
  };
  useEffect(() => {
    setApi(token === undefined ? undefined : apiWith(token));
    if (token === undefined) return undefined;
    const event = (each: StreamEvent): void => {
      // Only one that was taken is kept.
      if (each.type === "hello") sessionStorage.setItem(KEPT, token);
      change(each);
    };
    return follow(token, { event, trouble: setTrouble, refused: leave });
  }, [token]);
  const signIn = (given: string): void => {
    setRefused(undefined);
    setTrouble(undefined);
    setToken(given);
  };
  return { model, api, trouble, refused, change, signIn, signOut: () => leave() };
}

/** The time now by the controller's clock, each second anew. */
export function useNow({ aheadMs }: Model): number {
  const [nowMs, setNowMs] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return nowMs + aheadMs;
}

/** Where the address points: the parts behind the hash. */
export function usePlace(): readonly string[] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const look = (): void => setHash(location.hash);
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return hash.replace(/^#\/?/, "").split("/").map(decoded);
}

/** Anybody can write an address. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
