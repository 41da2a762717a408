import type { Case, CaseState } from "../domain/case.ts";
import type { CaseOrder, CasePosition } from "../domain/case-order.ts";
import type { AgentId, CaseRef, PersonId, Sha256Hex, WriterId } from "../domain/ids.ts";
import type { KillSwitch } from "../domain/kill-switch.ts";
import type { Agent, Person } from "../domain/principal.ts";
import type { ReasonId } from "../domain/reasons.ts";
import type { CatalogTool, ToolDefinition } from "../domain/tool.ts";
import type { AccountStore } from "./account-ports.ts";
import type { DecisionHistory, HistoryParams } from "./decision-history.ts";
import type { EngineRunStore } from "./engine-ports.ts";
import type { ImportStore } from "./import-ports.ts";
import type { LiveCaller } from "./live-client.ts";
import type { ReadStore } from "./read-ports.ts";
import type { RestoreStore } from "./restore-ports.ts";
import type { ApprovedCall, RepeatedCall } from "./suggest-rule.ts";
import type { Acceptance, AcceptToolParams, AcceptToolResult } from "./transitions/acceptance.ts";
import type { AssessmentParams, AssessmentResult } from "./transitions/assessment.ts";
import type { ClaimParams, ClaimResult } from "./transitions/claim.ts";
import type { DecisionParams, DecisionResult } from "./transitions/decision.ts";
import type { ExpireParams, ExpireResult, WithdrawParams, WithdrawResult } from "./transitions/ending.ts";
import type { Held, KnownTool, ListingParams } from "./transitions/listing.ts";
import type { OpenCaseParams, OpenCaseResult } from "./transitions/open-case.ts";
import type { LostParams, OutcomeParams, OutcomeResult, ReleaseParams } from "./transitions/outcome.ts";
import type { PayloadKind } from "./transitions/plan.ts";
import type { ResolutionParams, ResolutionResult } from "./transitions/resolution.ts";
import type {
  ReleaseReviewParams,
  ReleaseReviewResult,
  TakeParams,
  TakeResult,
} from "./transitions/taking.ts";
import type { UndoParams, UndoResult } from "./transitions/undo.ts";

/**
 * Who committed a change: this process, or another one on the same database. A change from elsewhere may be told twice, or as the
 * case stands (`from` is `to`) when what led there was not heard.
 */
export type ChangeOrigin = "here" | "elsewhere";

/** A change of a case that a commit has made durable. */
export interface CaseChanged {
  readonly ref: CaseRef;
  readonly agentId: AgentId;
  readonly from: CaseState | null;
  readonly to: CaseState;
  readonly revision: number;
  /** The agent heard of it on the line. */
  readonly reported: boolean;
  readonly upstream: string;
  readonly reasonId: ReasonId;
  /** Time since the case was opened. */
  readonly ageMs: number;
}

/**
 * Cases: one verb a transition, each atomic with its ledger events, acknowledged after a full sync.
 * Commands of concurrent callers may share one commit. Every command is safe to repeat.
 *
 * @throws AtlasError `store.failed` when the commit is not known to have happened; nothing may be dispatched or acknowledged then.
 */
export interface CaseStore {
  openCase(params: OpenCaseParams): Promise<OpenCaseResult>;
  /** Ends the assessment of a case that waited for a model, and claims it in the same commit if its call is still held. */
  recordAssessment(params: AssessmentParams): Promise<AssessmentResult>;
  /** The one transaction that lets one gateway dispatch an authorized case once. */
  claim(params: ClaimParams): Promise<ClaimResult>;
  recordOutcome(params: OutcomeParams): Promise<OutcomeResult>;
  /** Gives a claim back when provably nothing was sent. */
  releaseClaim(params: ReleaseParams): Promise<OutcomeResult>;
  /** Settles a claim whose gateway is gone: the outcome is UNKNOWN. */
  recordLost(params: LostParams): Promise<OutcomeResult>;
  recordDecision(params: DecisionParams): Promise<DecisionResult>;
  /** Settles an unknown outcome by what a person found out. */
  resolveUnknown(params: ResolutionParams): Promise<ResolutionResult>;
  /** A reviewer says that they work on a case; of several at once, one has it. */
  takeReview(params: TakeParams): Promise<TakeResult>;
  releaseReview(params: ReleaseReviewParams): Promise<ReleaseReviewResult>;
  /** Takes an approval back before the claim. */
  undo(params: UndoParams): Promise<UndoResult>;
  withdraw(params: WithdrawParams): Promise<WithdrawResult>;
  /** Expires the case if its deadline has passed by the database's clock; otherwise does nothing. */
  expire(params: ExpireParams): Promise<ExpireResult>;
  /** Puts off the engine's next look at an authorized case (its upstream could not be reached) and counts the attempt. */
  postpone(ref: CaseRef, untilMs: number): Promise<void>;
  /** Notes that the agent has been told how the case ended. */
  markReported(refs: readonly CaseRef[]): Promise<void>;
  /** A call that never became a case still leaves a trace. */
  recordRefusal(params: RefusalParams): Promise<void>;

  getCase(ref: CaseRef): Promise<Case | null>;
  listCases(filter: CaseFilter): Promise<readonly Case[]>;
  /** How many there are in each of the states, of all by default; only those that are asked for are counted. */
  countCases(states?: readonly CaseState[]): Promise<Readonly<Record<CaseState, number>>>;
  /** Calls that people approved at least so often and never otherwise; the most approved first, 100 at most. */
  approvedCalls(params: {
    /** null: all of them. */
    readonly of: RepeatedCall | null;
    readonly atLeast: number;
  }): Promise<readonly ApprovedCall[]>;
  /** What people decided earlier of the tool and the agent of a case. */
  decisionHistory(params: HistoryParams): Promise<DecisionHistory>;
  /** Ledger events of a case in the order of their commits, those after `afterId`; 0 for the first ones. */
  caseTimeline(params: {
    readonly ref: CaseRef;
    readonly afterId: number;
    readonly limit: number;
  }): Promise<readonly CaseTimelineEvent[]>;
  /** Cases the engine must look at: `dueAtMs` at or before now, or claimed by a writer that is not `writer`. Earliest first. */
  dueCases(params: { readonly writer: WriterId; readonly limit: number }): Promise<readonly Case[]>;
  /** Earliest `dueAtMs` of all cases; null when nothing is due ever. */
  nextDueAtMs(): Promise<number | null>;
  /** Bytes kept for a case; null when there were none or they were erased. */
  getPayload(ref: CaseRef, kind: PayloadKind): Promise<string | null>;
  /** Called after each commit, in order of commits, of this process and of others on the same database. Returns a function that stops it. */
  onChange(listener: (change: CaseChanged, origin: ChangeOrigin) => void): () => void;
}

export interface RefusalParams {
  readonly agentId: AgentId;
  readonly reasonId: string;
  /** Tool as the agent named it, hashed: the name is the agent's text. */
  readonly toolSha256: Sha256Hex;
}

export interface CaseFilter {
  readonly states?: readonly CaseState[];
  readonly agentId?: AgentId;
  readonly upstream?: string;
  /** Name at the upstream. */
  readonly tool?: string;
  readonly ruleId?: string;
  readonly reasonId?: string;
  /** Cases without a score have none. */
  readonly minScore?: number;
  /** Both exclusive. */
  readonly openedAfterMs?: number;
  readonly openedBeforeMs?: number;
  /** Whoever works on it now. */
  readonly takenBy?: PersonId;
  /** Part of the name of agent, upstream or tool; upper and lower case of ASCII letters are the same. */
  readonly search?: string;
  /** First characters of the reference; of the alphabet of references. */
  readonly refPrefix?: string;
  /** Ended, and the agent was not told yet. */
  readonly unreported?: boolean;
  /** A human was asked, whatever came of it. */
  readonly reviewed?: boolean;
  /** Would have been held, had the gateway not only observed. */
  readonly observed?: boolean;
  /** `newest` by default. */
  readonly order?: CaseOrder;
  /** Only what comes after this position in that order. */
  readonly after?: CasePosition;
  readonly limit: number;
}

/** One ledger event of a case as people read it: ids only, as the ledger has them. */
export interface CaseTimelineEvent {
  /** Order of commits over all writers. */
  readonly id: number;
  readonly writer: WriterId;
  readonly sequence: number;
  readonly hash: Sha256Hex;
  /** ISO 8601. */
  readonly at: string;
  readonly type: string;
  readonly actor: { readonly kind: string; readonly id: string };
  readonly from: string | null;
  readonly to: string | null;
  readonly reasonId: string | null;
}

/**
 * Principals and their credentials; a credential is stored as its SHA-256 only.
 *
 * @throws AtlasError `auth.wrong_principal` from commands when `by` is not (any more) an admin
 */
export interface PrincipalStore {
  addAgent(params: {
    id: AgentId;
    ownerId: PersonId;
    /** null: it has no key and gets in by an issuer's token only. */
    keySha256: Sha256Hex | null;
    by: PersonId | null;
  }): Promise<void>;
  /** @returns false when there is no such agent or it was revoked before. */
  revokeAgent(params: { id: AgentId; by: PersonId | null }): Promise<boolean>;
  addPerson(params: {
    id: PersonId;
    roles: Person["roles"];
    /** null: the person is known (owns agents) but cannot sign in. */
    tokenSha256: Sha256Hex | null;
    by: PersonId | null;
  }): Promise<void>;
  findByCredential(
    sha256: Sha256Hex,
  ): Promise<{ readonly agent: Agent } | { readonly person: Person } | null>;
  getAgent(id: AgentId): Promise<Agent | null>;
  getPerson(id: PersonId): Promise<Person | null>;
  listAgents(): Promise<readonly Agent[]>;
  listPeople(): Promise<readonly Person[]>;
}

/** A tool as an admin sees it. */
export interface ToolPin extends KnownTool {
  /** What an admin said of the accepted definition; null: it was accepted at first sight, or not at all. */
  readonly acceptance: Acceptance | null;
  readonly firstSeenAtMs: number;
  readonly changedAtMs: number;
}

/** A tool that is held for more than being new. */
export interface HeldTool extends Held {
  readonly name: string;
}

/** A tool that a commit has changed: listed, gone, accepted. */
export interface ToolChanged {
  readonly upstream: string;
  readonly name: string;
}

export interface EngagedKillSwitch extends KillSwitch {
  /** null: from the machine's own command line. */
  readonly by: PersonId | null;
  readonly sinceMs: number;
  readonly reason: string;
}

/** What claims are checked against; written by whoever sees or changes it. */
export interface GuardStore {
  /** Registers an upstream as configured now. */
  recordUpstream(params: { readonly name: string; readonly fingerprint: Sha256Hex }): Promise<void>;
  /**
   * Records the definitions an upstream lists now, as `planListing` says: what is accepted at first sight, what is new, changed, gone or
   * held until an admin looks at it.
   *
   * @returns tools of this upstream that are held for more than being new
   */
  recordTools(params: ListingParams): Promise<readonly HeldTool[]>;
  /** Accepts the definition that an admin saw, with what they say of it, so that calls may run on it without a human again. */
  acceptTool(params: AcceptToolParams): Promise<AcceptToolResult>;
  /** What an admin said of the tool, if this is the definition that is accepted; null when nobody said anything. */
  acceptanceOf(params: {
    readonly upstream: string;
    readonly name: string;
    readonly pin: Sha256Hex;
  }): Promise<Acceptance | null>;
  /** Called after each commit that changed a tool. Returns a function that stops it. */
  onToolChange(listener: (change: ToolChanged, origin: ChangeOrigin) => void): () => void;
  /** The definition that has this pin, as some upstream once listed it. */
  getDefinition(pin: Sha256Hex): Promise<ToolDefinition | null>;
  /** Tools of all upstreams, with what changed since they were accepted. */
  listToolPins(): Promise<readonly ToolPin[]>;
  /** Accepted pin of each tool of the upstream. */
  acceptedPins(upstream: string): Promise<ReadonlyMap<string, Sha256Hex>>;
  /** Makes this policy the one that claims must have been evaluated under. */
  activatePolicy(version: string): Promise<void>;
  /** Stops new calls and claims from this commit on; waiting cases stay, their deadlines frozen. Repeating it is harmless. */
  engageKillSwitch(
    params: KillSwitch & { readonly by: PersonId | null; readonly reason: string },
  ): Promise<void>;
  /**
   * Lets calls and claims through again, and moves the deadlines of the cases it held by the time it held them.
   * Cases that another switch held as well gain its time too: longer rather than shorter.
   *
   * @returns false when no such switch was engaged
   */
  releaseKillSwitch(
    params: KillSwitch & {
      readonly by: PersonId | null;
      /** null: the machine's own command line gave none. */
      readonly reason: string | null;
    },
  ): Promise<boolean>;
  listKillSwitches(): Promise<readonly EngagedKillSwitch[]>;
}

/** Which texts of an ended case: the result of its run, or all of them. */
export type ErasureScope = "results" | "texts";

export interface ErasureParams {
  readonly scope: ErasureScope;
  /** Only of cases that ended before this time. */
  readonly endedBeforeMs: number;
  /** Cases of one call. */
  readonly limit: number;
}

export interface Erased {
  /** Fewer than the limit: nothing is left. */
  readonly cases: number;
  readonly texts: number;
}

/** Erasing texts whose time is over. Their hashes stay in cases and ledger; the ledger says of which cases texts were erased. */
export interface ErasureStore {
  eraseExpired(params: ErasureParams): Promise<Erased>;
  /** How many cases {@link ErasureStore.eraseExpired} would touch in all. */
  countExpired(params: Omit<ErasureParams, "limit">): Promise<number>;
}

/** What operators and their machines watch, read at one moment. */
export interface Figures {
  /** Cases that have not ended, by state and reason; UNKNOWN ones are among them. */
  readonly open: readonly {
    readonly state: CaseState;
    readonly reasonId: ReasonId;
    readonly count: number;
  }[];
  readonly outbox: {
    readonly waiting: number;
    /** Of those that wait; null when none does. */
    readonly oldestAtMs: number | null;
    readonly givenUp: number;
  };
  /** How many kill switches are engaged. */
  readonly killSwitches: Readonly<Record<KillSwitch["scope"], number>>;
  /** Number of the newest event of all writers. */
  readonly ledgerEvents: number;
}

export interface FiguresStore {
  /** Costs what waits, not what ever was. */
  figures(): Promise<Figures>;
}

/** Messages that must reach someone outside; a row is written with the change it tells of and stays until it was delivered. */
export interface OutboxStore {
  /** When the next message is due; null when none is. */
  nextMessageAtMs(): Promise<number | null>;
  /** Messages whose time has come, earliest first. */
  dueMessages(limit: number): Promise<readonly OutboxMessage[]>;
  markDelivered(id: string): Promise<void>;
  /** @param retryAtMs null gives up for good. */
  markAttemptFailed(params: { id: string; retryAtMs: number | null; error: string }): Promise<void>;
}

export interface OutboxMessage {
  readonly id: string;
  readonly topic: "review.requested" | "case.ended";
  readonly ref: CaseRef;
  readonly createdAtMs: number;
  readonly attempts: number;
}

/** The whole database: what the composition root opens and closes. */
export interface Store
  extends CaseStore,
    PrincipalStore,
    AccountStore,
    GuardStore,
    OutboxStore,
    EngineRunStore,
    ErasureStore,
    FiguresStore,
    ReadStore,
    RestoreStore,
    ImportStore {
  /** Signs what is committed so far, finishes what is queued and closes the database. */
  close(): Promise<void>;
}

/** What drives waiting cases. It only wakes use cases; state, decisions and claims are the store's. */
export interface Engine {
  /** Takes over what an earlier process left and begins to fire deadlines. */
  start(): Promise<void>;
  /** Looks at the case now (a decision was committed). Never throws; failures are logged and retried by the sweep. */
  wake(ref: CaseRef): void;
  /** Stops firing and waits for what it is running. */
  close(): Promise<void>;
}

/** How a dispatched call ended, as far as this gateway can know. */
export type DispatchOutcome =
  /** The upstream's result, raw. */
  | { readonly kind: "answered"; readonly result: RawResult }
  /** The upstream's JSON-RPC error, raw. */
  | { readonly kind: "protocol_error"; readonly error: RawRpcError }
  /** The upstream wants to know something first, and the client behind the call can be asked: by this result. */
  | { readonly kind: "asked"; readonly result: RawResult }
  /** The upstream answered more than is taken; what it said is not known. */
  | { readonly kind: "too_large"; readonly bytes: number }
  /** Provably nothing was written to the upstream. */
  | { readonly kind: "not_sent"; readonly late: boolean; readonly detail: string }
  /** Sent, or perhaps sent, and no answer. */
  | { readonly kind: "no_answer"; readonly cause: "timeout" | "disconnected" };

export interface RawResult {
  readonly isError?: boolean;
  readonly [key: string]: unknown;
}

export interface RawRpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** What a call brings that answers what its upstream asked by the result of an earlier one (protocol 2026-07-28). */
export interface CallRetry {
  /** `inputResponses` as the client wrote them; null for none. */
  readonly inputResponsesText: string | null;
  /** The upstream's own `requestState`; null when it gave none. */
  readonly requestState: string | null;
}

export interface DispatchParams {
  /** Tool's name at the upstream. */
  readonly tool: string;
  /** Bytes to forward, exactly. */
  readonly argumentsText: string;
  /** Forwarded `_meta` as JSON text, null for none; members that the protocol itself needs there replace its own. */
  readonly metaText: string | null;
  readonly retry?: CallRetry;
  /** Monotonic time after which nothing may be written any more; checked just before the write. */
  readonly dispatchByMonotonicMs: number;
  /** Progress of a live call; absent when nobody listens. Must not throw. */
  readonly onProgress?: (progress: { readonly [key: string]: unknown }) => void;
  /** Aborts the call upstream; given only for calls that are safe to repeat. */
  readonly signal?: AbortSignal;
}

/** A connection to one upstream. */
export interface UpstreamSession {
  /** Of the endpoint that it reaches. */
  readonly upstreamFingerprint: Sha256Hex;
  /** Tools as listed when the session was opened. */
  readonly tools: readonly CatalogTool[];
  /** Sends one call and reads it to its deadline. Never throws for what the upstream does. */
  dispatch(params: DispatchParams): Promise<DispatchOutcome>;
  close(): Promise<void>;
}

/** Where a live call goes, and whose it is. */
export interface LiveTarget extends LiveCaller {
  readonly upstream: string;
  /** Of the endpoint that the call was ruled for. */
  readonly upstreamFingerprint: Sha256Hex;
  readonly agentId: AgentId;
}

export interface Upstreams {
  /** The tool of that exposed name as last listed; undefined when there is none. */
  findTool(exposedName: string): CatalogTool | undefined;
  listTools(): readonly CatalogTool[];
  /**
   * Brings the agent's live connection up, which may take a child process its start, so that the time to dispatch
   * is not spent on it. Never throws: a connection that does not come up shows at the dispatch.
   */
  readyLive(params: LiveTarget): Promise<void>;
  /** Dispatches on the agent's live connection to exactly the endpoint of the claim, also if a reload has taken it away since. */
  dispatchLive(params: DispatchParams & LiveTarget): Promise<DispatchOutcome>;
  /** Closes the connections that an agent's session had of its own, once their calls in flight have ended. Never throws. */
  endSession(params: { readonly agentId: AgentId; readonly session: string }): void;
  /** A fresh connection with freshly listed tools, for a run after review. @throws AtlasError `upstream.unreachable`, or `resource.not_found` when no such upstream is configured. */
  openSession(upstream: string): Promise<UpstreamSession>;
  /** How long a call of this upstream may take. */
  deadlineMs(upstream: string): number;
  /** Whether it has connections of its own for each session, on which it may ask and tell the session's client. */
  mayAsk(upstream: string): boolean;
}

/** Delivers outbox messages. */
export interface Notifier {
  /** Looks at the outbox now (a message was committed). */
  wake(): void;
  close(): Promise<void>;
}
