import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { EdgeUpstream } from "./edge-upstreams.ts";

/** An upstream that answers 503 to paths that begin with `/fail/NAME`, else 200, on bytes: node:http would be the load's limit. */
export async function startRawUpstream(name: string): Promise<Pick<EdgeUpstream, "address" | "stop">> {
  const answer = (line: string): string => `HTTP/1.1 ${line}\r\ncontent-length: 2\r\n\r\nhi`;
  const [good, bad] = [answer("200 OK"), answer("503 Service Unavailable")];
  const fails = new RegExp(`^\\S+ /fail/${name} `);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => sockets.delete(socket));
    let rest = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      // Requests here have no body.
      const heads = (rest + text).split("\r\n\r\n");
      rest = heads.pop() ?? "";
      for (const head of heads) socket.write(fails.test(head) ? bad : good);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    // A server that listens on TCP has an AddressInfo.
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), "close");
    },
  };
}

export interface RawLoad {
  readonly port: number;
  readonly connections: number;
  readonly requests: number;
  /** Request line and headers of one request, without the last empty line. */
  readonly head: (index: number) => string;
}

/** Sends requests over kept connections, one at a time on each; how many answers came with each status. */
export async function sendRawLoad({ port, connections, requests, head }: RawLoad): Promise<ReadonlyMap<number, number>> {
  const statuses = new Map<number, number>();
  let next = 0;
  const run = async (): Promise<void> => {
    const socket = connect(port, "127.0.0.1").setNoDelay(true).setEncoding("latin1");
    let rest = "";
    const send = (): void => {
      if (next >= requests) socket.end();
      else socket.write(`${head(next++)}\r\n\r\n`);
    };
    socket.on("data", (text: string) => {
      rest += text;
      const end = rest.indexOf("\r\n\r\n");
      if (end === -1 || rest.length < end + 4 + bodyBytes(rest)) return;
      const status = Number(rest.slice(9, 12));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      rest = "";
      send();
    });
    send();
    await once(socket, "close");
  };
  await Promise.all(Array.from({ length: connections }, run));
  return statuses;
}

const bodyBytes = (answer: string): number => Number(/\r\ncontent-length: (\d+)/.exec(answer)?.[1] ?? 0);
