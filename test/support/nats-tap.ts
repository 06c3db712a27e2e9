import { connect, createServer, type Socket } from "node:net";

/** A TCP relay to NATS that reads what the client publishes. */
export interface NatsTap {
  readonly url: string;
  /** From now on: the message that is the n-th whose subject matches (0 is the first) is the client's last; nothing that it sends after is handed on. */
  arm(last: Readonly<{ subject: RegExp; at: number; when: "before" | "after" }>, onLast: () => void): void;
  /** Matching messages since it was armed. */
  seen(): number;
  close(): Promise<void>;
}

const CRLF = "\r\n";

/** Starts a relay to the port of a NATS server. */
export async function startNatsTap(targetPort: number): Promise<NatsTap> {
  const sockets = new Set<Socket>();
  let armed: { subject: RegExp; at: number; when: "before" | "after" } | undefined;
  let onLast: () => void = () => undefined;
  let seen = 0;
  let isOver = false;
  /** Whether the message may be handed on. */
  const look = (line: string): boolean => {
    const [verb, subject = ""] = line.split(" ");
    if (armed === undefined || (verb !== "PUB" && verb !== "HPUB") || !armed.subject.test(subject)) return true;
    seen += 1;
    if (seen <= armed.at) return true;
    isOver = true;
    onLast();
    return armed.when === "after";
  };
  const server = createServer((near) => {
    const far = connect(targetPort, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    far.on("data", (data) => near.write(data));
    near.on(
      "data",
      messagesOf(
        look,
        (message) => far.write(message),
        () => isOver,
      ),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `nats://127.0.0.1:${port}`,
    arm(last, then) {
      armed = last;
      onLast = then;
      seen = 0;
    },
    seen: () => seen,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Cuts the client's bytes into messages of NATS: a line, and for the two that publish a payload of the size that ends the line. */
function messagesOf(look: (line: string) => boolean, handOn: (message: Buffer) => void, isOver: () => boolean): (data: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (data) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const end = rest.indexOf(CRLF);
      if (end === -1) return;
      const line = rest.toString("latin1", 0, end);
      const payload = /^H?PUB /.test(line) ? Number(line.slice(line.lastIndexOf(" ") + 1)) + CRLF.length : 0;
      const length = end + CRLF.length + payload;
      if (rest.length < length) return;
      const message = rest.subarray(0, length);
      rest = rest.subarray(length);
      if (!isOver() && look(line)) handOn(message);
    }
  };
}
