import { Agent, request } from "node:http";

/** One request as its user saw it; times in Unix milliseconds. */
export interface SeenRequest {
  readonly host: string;
  readonly user: string;
  readonly startMs: number;
  readonly endMs: number;
  /** HTTP status; 0 when the connection failed. */
  readonly status: number;
  /** What the upstream that answered says in its body; undefined when none did. */
  readonly seen: "stable" | "canary" | undefined;
  /** The canary failed first, and stable answered. */
  readonly rescued?: true;
}

export interface TrafficOptions {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  /** GET when absent. */
  readonly method?: string;
  readonly users: number;
  readonly perSecond: number;
  readonly onRequest: (request: SeenRequest) => void;
}

export interface Traffic {
  setPace(perSecond: number): void;
  /** Requests a second that are due now. */
  pace(): number;
  /** Another host to ask from now on. */
  setHost(host: string): void;
  /** Stops sending and waits for the answers still due. */
  stop(): Promise<void>;
}

const SLOT_MS = 5;
/** What was not sent while this process was held up for longer is left out: sent all at once, it would be a load of its own. */
const MAX_CATCH_UP_MS = 50;
const TIMEOUT_MS = 10_000;

/** Sends at a fixed pace whatever the answers do (open loop), each time from a user chosen evenly. */
export function startTraffic(options: TrafficOptions): Traffic {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  let { perSecond, host } = options;
  let owed = 0;
  let last = performance.now();
  let next = 0;
  const open = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const now = performance.now();
    owed += (Math.min(now - last, MAX_CATCH_UP_MS) * perSecond) / 1_000;
    last = now;
    for (; owed >= 1; owed -= 1) {
      // A stride that shares no factor with the number of users visits all of them evenly, without an order.
      next = (next + 1_597) % options.users;
      const sent = sendRequest({ ...options, host, agent, user: `user-${next}` })
        .then(options.onRequest)
        .finally(() => open.delete(sent));
      open.add(sent);
    }
  }, SLOT_MS);
  return {
    setPace: (pace) => {
      perSecond = pace;
    },
    pace: () => perSecond,
    setHost: (name) => {
      host = name;
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
      agent.destroy();
    },
  };
}

export interface OneRequest {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly method?: string;
  readonly user: string;
  readonly agent?: Agent;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends one request and tells what its user saw; never rejects. */
export function sendRequest({ port, host, path, method = "GET", user, agent, headers = {} }: OneRequest): Promise<SeenRequest> {
  const startMs = Date.now();
  return new Promise((resolve) => {
    const done = (status: number, body: string): void =>
      resolve({
        host,
        user,
        startMs,
        endMs: Date.now(),
        status,
        seen: /"variant":"(stable|canary)"/.exec(body)?.[1] as SeenRequest["seen"], // the pattern allows only these
        ...(/"attempt":([2-9])/.test(body) && { rescued: true }),
      });
    const sent = request(
      {
        port,
        path,
        method,
        host: "127.0.0.1",
        headers: { host, "x-user-id": user, ...headers },
        timeout: TIMEOUT_MS,
        ...(agent && { agent }),
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          body += chunk;
        });
        response.on("end", () => done(response.statusCode ?? 0, body));
        response.on("error", () => done(0, ""));
      },
    );
    sent.on("timeout", () => sent.destroy(new Error("no answer in time")));
    sent.on("error", () => done(0, ""));
    sent.end();
  });
}
