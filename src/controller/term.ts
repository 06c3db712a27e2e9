import type { FeedbackReply } from "../contract/feedback.ts";
import type { LiveState } from "../contract/live.ts";
import { ReceiptSchema } from "../contract/messages.ts";
import { verdictEvent } from "../core/plan/types.ts";
import { CheckKeeper } from "./checks/check-keeper.ts";
import { HandoverKeeper } from "./checks/handover-keeper.ts";
import { Commands } from "./commands.ts";
import { EvidenceIntake } from "./evidence-intake.ts";
import { FailingKeeper } from "./failing-keeper.ts";
import { DeposedError } from "./fenced-writer.ts";
import { FleetKeeper } from "./fleet-keeper.ts";
import { GateKeeper } from "./gate-keeper.ts";
import { inParallel } from "./in-parallel.ts";
import { type Incoming, lastToken, parse } from "./incoming.ts";
import { isJudgeDue, sortReports } from "./judge-pace.ts";
import { judgeSeat } from "./judge-seat.ts";
import { freshVerdict, type SourcedReport } from "./judging.ts";
import { Mailbox } from "./mailbox.ts";
import { Measures } from "./measures.ts";
import { MixKeeper } from "./mix-keeper.ts";
import { Once } from "./once.ts";
import { Outbox } from "./outbox.ts";
import { PolicyKeeper } from "./policy-keeper.ts";
import type { TermParts } from "./ports.ts";
import { Publisher } from "./publisher.ts";
import { lookAtReceipts } from "./receipts-look.ts";
import { hearStops } from "./reflexes.ts";
import { loadSeats, readJudging, type Seat } from "./seats.ts";
import { SegmentKeeper } from "./segments.ts";
import type { Sender } from "./senders.ts";
import { SeriesKeeper } from "./series-keeper.ts";
import { Steps } from "./steps.ts";
import { TickRecorder } from "./tick-recorder.ts";

const PURGE_EVERY_MS = 60_000;

/**
 * One time in office of the leader: everything it knows and does, from the takeover to the end. Messages come in by
 * `onReceipt`, `onEvidence` and `onCommand`, time by `tick`; what follows is done in one queue.
 */
export class Term {
  readonly #parts: TermParts;
  readonly #segments: SegmentKeeper;
  /** The policy and the freeze. */
  readonly policy: PolicyKeeper;
  readonly #publisher: Publisher;
  readonly #outbox: Outbox;
  readonly #steps: Steps;
  readonly #fleet: FleetKeeper;
  readonly #failing: FailingKeeper;
  /** Who the users are of rollouts that ask for it. */
  readonly mix: MixKeeper;
  readonly #checks: CheckKeeper;
  readonly #handovers: HandoverKeeper;
  readonly #gates: GateKeeper;
  readonly #commands: Commands;
  readonly #ticks: TickRecorder;
  readonly series = new SeriesKeeper((name) => this.#steps.seats.has(name));
  readonly #mailbox: Mailbox;
  readonly #once: Once;
  readonly measures: Measures;
  /** A rollout as the leader holds it. */
  readonly seatOf = (name: string): Seat | undefined => this.#steps.seats.get(name);
  readonly #intake: EvidenceIntake;
  readonly #judged = new Set<Seat>();
  /** Rollouts with evidence of this turn of the event loop that is to be judged at once. */
  readonly #arrived = new Set<Seat>();
  #purgedMs: number;

  /** `onDeposed` is called when a write shows that another controller leads. */
  constructor(parts: TermParts, onDeposed: (error: DeposedError) => void) {
    this.#parts = parts;
    this.#segments = new SegmentKeeper(parts);
    this.#publisher = new Publisher(parts, this.#segments);
    this.#outbox = new Outbox(parts);
    this.policy = new PolicyKeeper(parts, this.#outbox);
    const postLater = (job: () => Promise<void>): void => this.#mailbox.postLater(job);
    const moved: Measures["moved"] = (seat, before) => this.measures.moved(seat, before);
    const tools = { moved, publisher: this.#publisher, outbox: this.#outbox, policy: this.policy, postLater };
    this.#steps = new Steps(parts, { ...tools, users: (live) => this.#failing.users(live) });
    this.#fleet = new FleetKeeper(parts);
    this.#failing = new FailingKeeper(parts);
    this.mix = new MixKeeper(parts, this.seatOf);
    this.#handovers = new HandoverKeeper(parts, (name, found) => this.#mailbox.post(() => this.#steps.seeStable(name, found)));
    this.#checks = new CheckKeeper(parts, (name) => this.#mailbox.post(() => this.#judge(this.#steps.seats.get(name))));
    this.#gates = new GateKeeper(parts, (name, run, answer) => this.#mailbox.post(() => this.#steps.answer(name, run, answer)));
    const known = { segments: this.#segments, policy: this.policy, fleet: this.#fleet, failing: this.#failing };
    this.#commands = new Commands(parts, { steps: this.#steps, ...known, gone: (name) => this.measures.courses.forget(name) });
    this.#ticks = new TickRecorder(parts);
    const keepers = { fleet: this.#fleet, failing: this.#failing, mix: this.mix, publisher: this.#publisher };
    this.measures = new Measures(parts, { ...keepers, seats: () => this.#steps.seats.values() });
    this.#purgedMs = parts.clock.monotonicMs();
    this.#mailbox = new Mailbox((error) => {
      if (error instanceof DeposedError) onDeposed(error);
      else parts.log.error({ err: error }, "step failed, trying again at the next tick");
    });
    this.#once = new Once(this.#mailbox);
    this.#intake = new EvidenceIntake(parts.log, (report) => this.onReports([report]));
  }

  /** Takes over what the leader before left, wherever it was interrupted. */
  async begin(): Promise<void> {
    for (const part of [this.#publisher, this.#segments, this.policy, this.#fleet]) await part.load();
    const { seats, unobeyed } = await loadSeats(this.#parts);
    for (const seat of seats) this.#steps.seats.set(seat.name, seat);
    await inParallel(seats, ({ live }) => this.#outbox.resume(live));
    await this.#failing.load(seats.map(({ live }) => live));
    await this.mix.load(seats);
    await this.#checks.feedback.load(seats);
    await this.#steps.sync();
    await this.#steps.waysBack.resume();
    await this.#commands.rollouts.takeUp(unobeyed);
  }

  /** Ends this term: nothing is done after the running step. */
  async end(): Promise<void> {
    await Promise.all([this.#checks.close(), this.#handovers.close(), this.#gates.close()]);
    this.#intake.close();
    await this.#mailbox.close().then(() => this.#steps.relations.endpoints.close());
    await Promise.all([this.#outbox.close(), this.#ticks.close()]);
  }

  /** Rollouts as they stand, for gauges. */
  get rollouts(): readonly LiveState[] {
    return [...this.#steps.seats.values()].map(({ live }) => live);
  }

  /** Takes a sidecar's receipt in. The sidecar is the subject's, which NATS permissions can bind, not the body's. */
  onReceipt({ subject, data }: Incoming): void {
    const sidecar = lastToken(subject);
    const receipt = ReceiptSchema.parse({ ...ReceiptSchema.parse(parse(data)), sidecar });
    if (receipt.problem !== undefined) this.#parts.log.warn({ sidecar, problem: receipt.problem }, "sidecar refuses the rules");
    if (receipt.stopped !== undefined) this.#mailbox.post(() => hearStops(this.#steps, receipt, this.#fleet.members));
    if (receipt.state === "goodbye") this.#failing.goodbye(sidecar, receipt.startedAtMs);
    if (this.#fleet.hear(receipt))
      this.#once.thisTurn("receipts", () => this.#mailbox.post(() => lookAtReceipts(this.#parts, this.#fleet, this.#steps)));
  }

  get sidecars(): readonly string[] {
    return this.#fleet.members;
  }

  /** Takes a sidecar's evidence in. */
  onEvidence(message: Incoming): void {
    this.#intake.hear(message);
  }

  /** Takes counts in; they are judged as soon as what has arrived with them is in too. */
  onReports(reports: readonly SourcedReport[]): void {
    for (const { sidecar, report } of reports)
      if (report.unreadable > 0) this.#parts.log.warn({ sidecar, series: report.unreadable }, "evidence that cannot be read");
    for (const seat of sortReports(this.#steps.seats, reports, this.#parts.clock.monotonicMs())) this.#arrived.add(seat);
    this.#once.thisTurn("evidence", () => {
      for (const seat of this.#arrived) this.#postJudge(seat);
      this.#arrived.clear();
    });
  }

  /** Takes in which users a sidecar saw fail; they are united at the next tick. */
  onFailingUsers({ subject, data }: Incoming): void {
    this.#failing.hear(lastToken(subject), parse(data));
  }

  /** Takes in what a user says; the rollout is the subject's. */
  onFeedback({ subject, data }: Incoming): FeedbackReply {
    const name = lastToken(subject);
    return this.#checks.feedback.hear(name, this.#steps.seats.get(name), data);
  }

  /** Carries a command out and gives its answer to `respond`. */
  onCommand({ data }: Incoming, respond: (text: string) => void, sender?: Sender): void {
    this.#mailbox.post(async () => respond(JSON.stringify(await this.#commands.answer(data, sender))));
  }

  /** Looks at deadlines, at what could not be done before, and at what is due only now and then. */
  tick(): void {
    this.#fleet.listeningSinceMs();
    this.#once.untilDone("tick", () => {
      const beganMs = this.#parts.clock.monotonicMs();
      this.#mailbox.postLater(() => lookAtReceipts(this.#parts, this.#fleet, this.#steps));
      for (const keeper of [this.#checks, this.#gates, this.#handovers, this.#steps.relations.endpoints])
        keeper.tick(this.#steps.seats.values());
      for (const seat of this.#steps.seats.values()) this.#mailbox.postLater(() => this.#tickSeat(seat));
      this.#mailbox.postLater(() => this.#keepHouse().then(() => this.measures.ticked(this.#parts.clock.monotonicMs() - beganMs)));
    });
  }

  /** Once for all evidence that comes until it runs. */
  #postJudge(seat: Seat): void {
    if (this.#judged.has(seat)) return;
    this.#judged.add(seat);
    this.#mailbox.post(() => {
      this.#judged.delete(seat);
      return this.#judge(seat);
    });
  }

  async #judge(seat: Seat | undefined): Promise<void> {
    if (seat === undefined || this.#steps.seats.get(seat.name) !== seat) return;
    if (seat.reports.length === 0 && !this.#checks.hasNews(seat.name)) return;
    await readJudging(this.#parts, seat);
    seat.judgedMs = this.#parts.clock.monotonicMs();
    const { judging: before } = seat;
    const { settings, clock } = this.#parts;
    // From one source only, as with counts: what Prometheus scraped knows nobody.
    const users = settings.prometheus === undefined ? this.#failing.judged(seat) : undefined;
    seat.judging = judgeSeat(seat, { users, nowMs: clock.nowMs(), own: () => this.#checks.take(seat) });
    if (seat.judging === before) return;
    seat.isJudgeDirty = true;
    try {
      await this.#deliverVerdict(seat);
    } finally {
      // With what came of it; also where that could not be written, for the judge goes on from here.
      if (seat.judging.judged !== before.judged) for (const keeper of [this.#ticks, this.series]) keeper.record(seat);
    }
    // Nobody waits for the record: the way back of another rollout goes first.
    if (seat.judging.verdict?.verdict !== before.verdict?.verdict) this.#mailbox.postLater(() => this.#steps.writeJudge(seat, true));
  }

  async #deliverVerdict(seat: Seat): Promise<void> {
    const record = freshVerdict(seat.judging.verdict, seat.live.plan.run, this.#parts.clock.nowMs());
    if (record === undefined) return;
    await this.#steps.deliver(seat, verdictEvent(record), { who: this.#steps.self, detail: record });
  }

  async #tickSeat(seat: Seat): Promise<void> {
    if (this.#steps.seats.get(seat.name) !== seat) return;
    await readJudging(this.#parts, seat);
    await this.#steps.obeyKill(seat);
    await this.#steps.deliver(seat, { type: "tick", last: seat.judging.verdict }, { who: this.#steps.self });
    if (isJudgeDue(seat, this.#steps.seats.size, this.#parts.clock.monotonicMs())) await this.#judge(seat);
    await this.#deliverVerdict(seat);
    await this.#steps.writeJudge(seat, false);
    await this.#failing.write(seat);
    await this.mix.write(seat);
    await this.#checks.feedback.write(seat);
    await this.#steps.clearOutbox(seat);
    await this.#commands.rollouts.beginNext(seat);
  }

  async #keepHouse(): Promise<void> {
    await this.#steps.waysBack.resume();
    await this.#steps.sync();
    await this.policy.clearOutbox();
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs - this.#purgedMs < Math.min(PURGE_EVERY_MS, this.#parts.settings.purgeAfterMs)) return;
    this.#purgedMs = nowMs;
    await this.#publisher.purge();
  }
}
