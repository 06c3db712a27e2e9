// Users of the service: so many requests a second, of 500 people.
//
//   node users.mjs HOST:PORT PER_SECOND

import { Agent, get } from "node:http";
import process from "node:process";

const [address = "", perSecond = "1"] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true });

setInterval(() => {
  const headers = { host: "shop.example", "x-user-id": `user-${Math.floor(Math.random() * 500)}` };
  // What fails is Envoy's and Serin's to count.
  get(`http://${address}/`, { agent, headers }, (response) => response.resume()).on("error", () => undefined);
}, 1_000 / Number(perSecond));
process.on("SIGTERM", () => process.exit());
