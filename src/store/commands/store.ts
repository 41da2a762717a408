import type { KeyObject } from "node:crypto";
import { AtlasError } from "../../domain/errors.ts";
import type { RandomBytes, WriterId } from "../../domain/ids.ts";
import type { CaseChanged, ChangeOrigin, Store, ToolChanged } from "../../governance/ports.ts";
import { type ChangeListeners, createChangeListeners } from "../change-listeners.ts";
import { readFigures } from "../figures.ts";
import { createAccounts } from "./accounts.ts";
import { createCaseRows } from "./case-rows.ts";
import { createCases } from "./cases.ts";
import { type Change, type Commits, type Lists, OF_GUARDS, OF_NOTHING, type Reads } from "./commits.ts";
import { createCredentialRows } from "./credential-rows.ts";
import { createEngineRuns } from "./engine-runs.ts";
import { createErasure } from "./erasure.ts";
import { createGuardRows, type FencingTokens } from "./guard-rows.ts";
import { createGuards } from "./guards.ts";
import { createHeadSigner } from "./head-signer.ts";
import { createImports } from "./imports.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import { createOutbox } from "./outbox.ts";
import { createPasswordRows } from "./password-rows.ts";
import { createPrincipalRows } from "./principal-rows.ts";
import { createPrincipals } from "./principals.ts";
import { createReadsRecord } from "./reads-record.ts";
import { createRestoring } from "./restoring.ts";
import { createSessionRows, createSessions } from "./sessions.ts";
import type { Steps } from "./statement.ts";
import { createTools } from "./tools.ts";

/** Where the store says what no caller hears of. */
export interface StoreLog {
  error(fields: object, sentence: string): void;
}

/** What any database must be opened with. */
export interface OpenStoreParams {
  /** This process; an id that never wrote before. */
  readonly writer: WriterId;
  readonly random: RandomBytes;
  /** Ed25519 private key that signs the ledger's heads. */
  readonly signingKey: KeyObject;
  readonly log?: StoreLog;
}

/** Listeners to what commits have changed. */
export interface Listeners {
  readonly cases: ChangeListeners<CaseChanged>;
  readonly tools: ChangeListeners<ToolChanged>;
  /** Tells each change to those who listen to its kind, in order. */
  tell(changes: readonly Change[], origin: ChangeOrigin): void;
}

export function createListeners(log: StoreLog | undefined): Listeners {
  const listeners = {
    cases: createChangeListeners<CaseChanged>((error) =>
      log?.error({ error }, "A listener to changes of cases failed."),
    ),
    tools: createChangeListeners<ToolChanged>((error) =>
      log?.error({ error }, "A listener to changes of tools failed."),
    ),
  };
  return {
    ...listeners,
    tell(changes, origin) {
      for (const change of changes) {
        if ("case" in change) listeners.cases.tell([change.case], origin);
        else listeners.tools.tell([change.tool], origin);
      }
    },
  };
}

export interface StoreDeps extends OpenStoreParams {
  readonly commits: Commits;
  readonly reads: Reads;
  readonly lists: Lists;
  /** Database time. */
  readonly now: () => Steps<number>;
  readonly tokens: FencingTokens;
  readonly ledger: LedgerWriter;
  readonly listeners: Listeners;
  /** Closes the connections; the last thing that happens. */
  readonly disconnect: () => void | Promise<void>;
}

/** A store, and what its database calls after each commit. */
export interface ComposedStore {
  readonly store: Store;
  /** Begins this process's chain of the ledger. @throws AtlasError `ledger.broken` when an earlier chain is damaged */
  start(): Promise<void>;
  /** Tells of what was committed here. */
  committed(changes: readonly Change[]): void;
}

/** Every command of the `Store` port over the way in which a database carries commands out. */
export function composeStore(deps: StoreDeps): ComposedStore {
  const { ledger, listeners, signingKey, log } = deps;
  const onError = (error: unknown) =>
    log?.error({ error }, "The ledger's head could not be signed; the next commit tries again.");
  const heads = createHeadSigner({ ...deps, signingKey, head: ledger.head, onError });
  const gate = createGate(deps.commits);
  const shared = { ...deps, commits: gate.commits };
  const principals = createPrincipalRows();
  const people = {
    people: principals,
    credentials: createCredentialRows(),
    passwords: createPasswordRows(),
    sessions: createSessionRows(),
  };
  const guards = createGuardRows(deps.tokens);
  const rows = createCaseRows(deps);
  return {
    store: {
      ...createCases({ ...shared, rows, guards, principals, listen: listeners.cases.listen }),
      ...createPrincipals({ ...shared, ...people, rows: principals }),
      ...createAccounts({ ...shared, ...people }),
      ...createSessions({ ...shared, ...people }),
      ...createGuards({ ...shared, rows: guards }),
      ...createTools({ ...shared, rows: guards, listen: listeners.tools.listen }),
      ...createReadsRecord({ ...shared, guards, principals }),
      ...createOutbox(shared),
      ...createEngineRuns({ ...shared, rows }),
      ...createErasure(shared),
      ...createImports(shared),
      ...createRestoring({ ...shared, rows }),
      figures: () => deps.lists(readFigures),
      close: gate.closeOnce(async () => {
        heads.stop();
        try {
          await deps.commits.run(OF_NOTHING, (tx) => ledger.stop(tx.nowMs));
          await heads.signNow();
        } finally {
          heads.stop();
          await deps.disconnect();
        }
      }),
    },
    start: () => deps.commits.run(OF_GUARDS, (tx) => ledger.start(tx.nowMs)),
    committed(changes) {
      heads.committed();
      listeners.tell(changes, "here");
    },
  };
}

/** Lets commands through until the store closes. */
function createGate(commits: Commits) {
  let closing: Promise<void> | undefined;
  const gated: Commits = {
    run(locks, command, durability) {
      if (closing === undefined) return commits.run(locks, command, durability);
      return Promise.reject(
        new AtlasError("store.failed", "The gateway is stopping; nothing more is recorded."),
      );
    },
  };
  return {
    commits: gated,
    closeOnce: (close: () => Promise<void>) => () => {
      closing ??= close();
      return closing;
    },
  };
}
