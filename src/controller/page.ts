import { join } from "node:path";
import { UsageError } from "../contract/errors.ts";
import { LINK_PATH } from "../contract/passes.ts";
import type { Clock } from "../io/clock.ts";
import { type Readiness, startHttp } from "../io/http.ts";
import type { OperatorKeys } from "../io/kill-signatures.ts";
import type { Logger } from "../io/log.ts";
import type { NatsLink } from "../io/nats.ts";
import { packageRoot } from "../io/package-root.ts";
import { readSecretLines } from "../io/secret-lines.ts";
import { startTelemetry, type Telemetry } from "../io/telemetry.ts";
import { type TokenBook, type TokenLine, tokenId } from "../io/tokens.ts";
import { apiHandler } from "./api/handler.ts";
import type { OperationPorts } from "./api/operation.ts";
import { type FeedbackPorts, feedbackRoute } from "./checks/feedback-http.ts";
import { linkRoute } from "./link-route.ts";
import { type Measured, metricsOf } from "./metrics.ts";
import type { ControllerSettings } from "./options.ts";
import { Feed } from "./stream/feed.ts";
import { uiRoutes } from "./ui-routes.ts";

/** A controller as its page shows it. */
export interface Shown extends Measured {
  /** Ways to the leader, for feedback. */
  readonly feedback: FeedbackPorts;
  readonly link: NatsLink;
}

interface Parts {
  readonly settings: ControllerSettings;
  readonly operatorKeys: OperatorKeys;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tokens: TokenBook | undefined;
  /** Undefined until NATS was reached. */
  shown(): Shown | undefined;
}

/** What a controller shows; without a URL metrics are pushed, and nobody listens. */
export interface Page {
  readonly url: string | undefined;
  readonly span: Telemetry["span"];
  stop(): Promise<void>;
}

/** Shows health and metrics where the options ask for it; undefined where they do not. A standby is as ready as a leader: it does its job. */
export async function startPage({ settings, operatorKeys, clock, log, tokens: book, shown }: Parts): Promise<Page | undefined> {
  const tokens = await feedbackTokens(settings);
  if (settings.http === undefined && !settings.otlp) return undefined;
  const collect = (): ReturnType<typeof metricsOf> => metricsOf(shown(), clock.nowMs());
  const telemetry = await startTelemetry({ service: "serin-controller", instance: settings.id, collect, otlp: settings.otlp, log });
  if (settings.http === undefined) return { url: undefined, span: telemetry.span, stop: telemetry.stop };
  const readiness = (): Readiness => {
    const controller = shown();
    if (controller === undefined) return { isReady: false, body: { role: "starting", problem: "NATS does not answer yet" } };
    return { isReady: true, body: { role: controller.isLeader() ? "leader" : "standby" } };
  };
  try {
    const metrics = telemetry.serve;
    const routes = {
      ...(await uiRoutes(join(packageRoot(), "dist", "ui"))),
      ...(tokens.length > 0 && { "/v1/feedback": feedbackRoute(tokens, clock, () => shown()?.feedback) }),
      ...(operatorKeys.size > 0 && { [LINK_PATH]: linkRoute({ keys: operatorKeys, clock, nats: () => shown()?.link }) }),
    };
    const api = apiHandler({ tokens: book, log, ports: operationPorts({ settings, operatorKeys, clock, log, tokens: book, shown }) });
    const server = await startHttp({ address: settings.http, what: "HTTP", flag: "--http" }, { metrics, readiness, routes, api });
    return {
      url: server.url,
      span: telemetry.span,
      async stop() {
        await server.stop();
        await telemetry.stop();
      },
    };
  } catch (error) {
    await telemetry.stop();
    throw error;
  }
}

/** One feed for all readers, once NATS was reached. */
function operationPorts({ settings: { id }, operatorKeys, clock, log, tokens, shown }: Parts): () => OperationPorts | undefined {
  let feed: Feed | undefined;
  const counts = async (token: TokenLine): Promise<boolean> => (await tokens?.byId(tokenId(token.digest))) !== undefined;
  return () => {
    const link = shown()?.link;
    if (link === undefined) return undefined;
    feed ??= new Feed({ link, clock, log });
    return { link, clock, id, feed, operatorKeys, counts };
  };
}

/** Read once, at the start. Throws UsageError where they cannot be read, or where nobody listens. */
async function feedbackTokens({ feedbackTokenFile: file, http }: ControllerSettings): Promise<string[]> {
  if (file === undefined) return [];
  if (http === undefined) throw new UsageError("--feedback-token-file needs a place to listen; give one by --http");
  return (await readSecretLines(file)).map(({ text }) => text);
}
