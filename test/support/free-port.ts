import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * One that a program can take, and take again when it starts anew. None that the system gives to whoever asks for any (from 32768 on,
 * by Linux' `ip_local_port_range`): another could have it in between.
 */
export async function freePort(): Promise<number> {
  const port = randomInt(20_000, 30_000);
  const server = createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
  if (!isFree) return freePort();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
