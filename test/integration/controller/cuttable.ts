import { connect, createServer, type Server, type Socket } from "node:net";

/** A TCP relay that can be frozen, like a paused process or a black-holed link, and cut. */
export interface Cuttable {
  readonly port: number;
  /** Bytes wait in both directions until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Drops all connections and refuses new ones. */
  cut(): void;
  /** Takes connections again. */
  mend(): void;
  close(): Promise<void>;
}

export async function startCuttable(targetPort: number): Promise<Cuttable> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let isFrozen = false;
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(targetPort, "127.0.0.1");
    const pair = [near, far] as const;
    pairs.add(pair);
    if (isFrozen) for (const socket of pair) socket.pause();
    relay(near, far);
    relay(far, near);
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
    close: () =>
      new Promise((resolve) => {
        for (const socket of all()) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

const relay = (from: Socket, to: Socket): void => void from.on("data", (data) => to.write(data));

const listen = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("no port"));
      else resolve(address.port);
    });
  });
