import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";

const FILES = [
  { path: "/", file: "index.html", type: "text/html; charset=utf-8" },
  { path: "/page.js", file: "page.js", type: "text/javascript; charset=utf-8" },
  { path: "/page.css", file: "page.css", type: "text/css; charset=utf-8" },
  { path: "/icon.svg", file: "icon.svg", type: "image/svg+xml" },
] as const;

/** Nothing but its own files, no code in the document or made out of text, in nobody's frame. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  // A new version has files of the same names.
  "cache-control": "no-cache",
};

type Route = (request: IncomingMessage, response: ServerResponse) => void;

/** The files of the page, read once, by the path of each. A source tree that was never built has none, and says so. */
export async function uiRoutes(folder: string): Promise<Record<string, Route>> {
  const routes = FILES.map(async ({ path, file, type }) => {
    const content = await readFile(join(folder, file)).catch(() => undefined);
    return [path, content === undefined ? notBuilt : serve(content, type)] as const;
  });
  return Object.fromEntries(await Promise.all(routes));
}

const notBuilt: Route = (_, response) => {
  response.writeHead(404, { "content-type": "text/plain" });
  response.end("the page is not built; run `npm run build`\n");
};

const serve =
  (content: Buffer, type: string): Route =>
  ({ method }, response) => {
    if (method !== "GET" && method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD", "content-type": "text/plain" });
      return response.end("the page takes GET and HEAD\n");
    }
    response.writeHead(200, { ...HEADERS, "content-type": type, "content-length": content.byteLength });
    return response.end(method === "HEAD" ? undefined : content);
  };
