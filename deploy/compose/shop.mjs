// A version of the service: says its name, and fails as often as it is told (0.2: one request in five).
//
//   node shop.mjs HOST:PORT NAME FAILS

import { createServer } from "node:http";
import process from "node:process";

const [address = "", name = "", fails = "0"] = process.argv.slice(2);
const [host, port] = address.split(":");

const server = createServer(({ url }, response) => {
  const isFailure = url !== "/healthz" && Math.random() < Number(fails);
  response.writeHead(isFailure ? 503 : 200, { "content-type": "text/plain" });
  response.end(isFailure ? "sorry\n" : `this is ${name}\n`);
});
// Envoy keeps its connections; a server that closes idle ones would race with a request on its way.
server.keepAliveTimeout = 0;
server.listen(Number(port), host);
process.on("SIGTERM", () => process.exit());
