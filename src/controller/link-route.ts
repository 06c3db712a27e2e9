import type { IncomingMessage, ServerResponse } from "node:http";
import { NoLeaderError } from "../contract/errors.ts";
import { FORMAT } from "../contract/names.ts";
import { LINK_PATH, type Pass } from "../contract/passes.ts";
import type { Clock } from "../io/clock.ts";
import type { OperatorKeys } from "../io/kill-signatures.ts";
import type { NatsLink } from "../io/nats.ts";
import { verifiedPass } from "../io/passes.ts";
import { sendCommand } from "../io/store.ts";

interface Parts {
  readonly keys: OperatorKeys;
  readonly clock: Clock;
  /** Undefined until NATS was reached. */
  nats(): NatsLink | undefined;
}

interface Answer {
  readonly status: number;
  /** HTML without a frame. */
  readonly body: string;
}

const COMMAND_MS = 5_000;

/**
 * Shows what a link would do, and does it on one more click: programs that look into messages open every link, and a GET changes nothing.
 * The leader looks at the pass too, so this page vouches for nobody.
 */
export function linkRoute(parts: Parts): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    void answerTo(request, parts)
      .catch((error: unknown) => problem(503, error instanceof NoLeaderError ? error.message : "nobody could be asked; try again"))
      .then(({ status, body }) => {
        response.writeHead(status, {
          "content-type": "text/html; charset=utf-8",
          "cache-control": "no-store",
          "referrer-policy": "no-referrer",
          "content-security-policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
        });
        response.end(`<!doctype html><html lang="en"><head><title>Serin</title></head><body>${body}</body></html>\n`);
      });
  };
}

async function answerTo(request: IncomingMessage, { keys, clock, nats }: Parts): Promise<Answer> {
  // The address comes without a host; any will do.
  const text = new URL(request.url ?? "", "http://serin.invalid").searchParams.get("pass") ?? "";
  const pass = verifiedPass(text, keys, clock.nowMs());
  if ("refused" in pass) return problem(403, `this link is refused: ${pass.refused}`);
  if (request.method === "GET" || request.method === "HEAD") return { status: 200, body: question(pass, text) };
  if (request.method !== "POST") return problem(405, "a link is opened, and confirmed by its button");
  const link = nats();
  if (link === undefined) return problem(503, "NATS does not answer yet; try again");
  const { id, verb, rollout, full, who } = pass;
  const command = { format: FORMAT, id, verb, rollout, full, who: { name: who, claimed: true }, reason: "by a link", pass: text } as const;
  const { result, message } = await sendCommand(link, command, COMMAND_MS);
  return result === "done" ? { status: 200, body: `<p>${escaped(message)}</p>` } : problem(409, `${result}: ${message}`);
}

const problem = (status: number, text: string): Answer => ({ status, body: `<p>${escaped(text)}</p>` });

function question({ verb, rollout, run, who, full, untilMs }: Pass, text: string): string {
  const what = `${verb}${full === true ? " --full" : ""} ${rollout}${run === undefined ? "" : `, run ${run}`}`;
  const until = new Date(untilMs).toISOString();
  return `<h1>${escaped(what)}</h1><p>As ${escaped(who)}, until ${until}.</p><form method="post" action="${LINK_PATH}?pass=${encodeURIComponent(text)}"><button>${verb}</button></form>`;
}

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
