import { connect, createServer, type Server, type Socket } from "node:net";

/** A TCP relay that can be frozen, like a paused process or a black-holed link, and cut, and that can say something else. */
export interface Cuttable {
  readonly port: number;
  /** Bytes wait in both directions until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Drops all connections and refuses new ones. */
  cut(): void;
  /** Takes connections again. */
  mend(): void;
  /** From now on this text in what one side sends is another one of the same length: as if another version had sent it. */
  alter(from: "client" | "server", text: string, other: string): void;
  close(): Promise<void>;
}

/** `delayMs`: what the client sends takes so long. */
export async function startCuttable(targetPort: number, delayMs = 0): Promise<Cuttable> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let isFrozen = false;
  let isCut = false;
  const altered: Record<"client" | "server", Alter> = { client: (data) => data, server: (data) => data };
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(targetPort, "127.0.0.1");
    const pair = [near, far] as const;
    pairs.add(pair);
    if (isFrozen) for (const socket of pair) socket.pause();
    relay(near, far, (data) => altered.client(data), delayMs);
    relay(far, near, (data) => altered.server(data));
    for (const socket of pair) {
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
  });
  const port = await listen(server);
  const all = (): Socket[] => [...pairs].flat();
  return {
    port,
    freeze() {
      isFrozen = true;
      for (const socket of all()) socket.pause();
    },
    thaw() {
      isFrozen = false;
      for (const socket of all()) socket.resume();
    },
    cut() {
      isCut = true;
      for (const socket of all()) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    alter(from, text, other) {
      if (text.length !== other.length) throw new Error("NATS says the length of what comes");
      altered[from] = (data) => Buffer.from(data.toString("latin1").replaceAll(text, other), "latin1");
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of all()) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

type Alter = (data: Buffer) => Buffer;

function relay(from: Socket, to: Socket, alter: Alter, delayMs = 0): void {
  from.on("data", (sent) => {
    const data = alter(sent);
    if (delayMs === 0) to.write(data);
    // Timers of one length end in their order.
    else setTimeout(() => to.destroyed || to.write(data), delayMs);
  });
}

const listen = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("no port"));
      else resolve(address.port);
    });
  });
