import { type Case, isTerminal } from "../../domain/case.ts";
import { REASONS } from "../../domain/reasons.ts";
import type { CaseReport } from "../../governance/check-status.ts";
import type { RawResult } from "../../governance/ports.ts";
import type { CallAnswer } from "../../governance/raw-call.ts";
import type { WithdrawResult } from "../../governance/transitions/ending.ts";
import { PENDING_KEY } from "./pending-schema.ts";

/** Key in `_meta` under which every answer of the gateway itself carries reference, state and reason id. */
const META_KEY = "atlas-gateway/case";

/** The tool result for a call that goes on without the agent. */
export function pendingResult(current: Case, hasOutputSchema: boolean): RawResult {
  const notes = [{ type: "text", text: pendingText(current) }];
  if (current.identicalTo !== null) {
    notes.push({ type: "text", text: `Identical to ${current.identicalTo}, which ended shortly before.` });
  }
  return {
    content: notes,
    // Clients throw on plain text from a tool that has an output schema; the advertised one admits this form.
    ...(hasOutputSchema && {
      structuredContent: { [PENDING_KEY]: { ref: current.ref, state: current.state } },
    }),
    _meta: { [META_KEY]: caseMeta(current) },
  };
}

function pendingText(current: Case): string {
  switch (current.state) {
    case "AUTHORIZED":
      return `AUTHORIZED (Ref: ${current.ref}). The call is about to run; ask check_status for its result.`;
    case "EXECUTING":
      return `EXECUTING (Ref: ${current.ref}). The call is running; ask check_status for its result.`;
    default:
      return `PENDING REVIEW (Ref: ${current.ref}). Action queued subject to governance checks.`;
  }
}

/** The tool result for a call that did not run, or whose outcome nobody knows. */
export function refusalResult(answer: Extract<CallAnswer, { kind: "refused" }>): RawResult {
  const detail = answer.detail === null ? "" : ` (${answer.detail})`;
  const reference = answer.ref === null ? "" : ` Ref: ${answer.ref}.`;
  return {
    content: [
      { type: "text", text: `${REASONS[answer.reasonId]}${detail} [${answer.reasonId}]${reference}` },
    ],
    isError: true,
    _meta: { [META_KEY]: { ref: answer.ref, reason_id: answer.reasonId } },
  };
}

/** Answer of `check_status` for one case: a sentence, the tool's own content if it ran, and all of it as data. */
export function reportResult(report: CaseReport): RawResult {
  const kept = keptAnswer(report);
  const content: unknown[] = [{ type: "text", text: reportText(report) }];
  if (Array.isArray(kept?.result?.["content"])) content.push(...kept.result["content"]);
  return {
    content,
    structuredContent: { ...reportData(report), ...(kept !== null && { answer: kept }) },
    _meta: { [META_KEY]: caseMeta(report.case) },
  };
}

export function reportsResult(reports: readonly CaseReport[]): RawResult {
  const text =
    reports.length === 0
      ? "You have no open cases, and none ended since you last asked."
      : reports.map(reportText).join("\n");
  return { content: [{ type: "text", text }], structuredContent: { cases: reports.map(reportData) } };
}

export function withdrawalResult(result: Extract<WithdrawResult, { case: Case }>): RawResult {
  const { ref, state } = result.case;
  const withdrawn = result.kind === "withdrawn";
  const text = withdrawn
    ? `CANCELLED (Ref: ${ref}). The request was withdrawn; it did not run.`
    : `The request can no longer be withdrawn: it is ${state} (Ref: ${ref}).`;
  return {
    content: [{ type: "text", text }],
    structuredContent: { ref, state, withdrawn },
    isError: !withdrawn,
    _meta: { [META_KEY]: caseMeta(result.case) },
  };
}

function reportText(report: CaseReport): string {
  const { case: current, reason } = report;
  if (!isTerminal(current.state) && current.state !== "UNKNOWN") return pendingText(current);
  const said = reason === null ? "" : ` The reviewer wrote: ${JSON.stringify(reason)}`;
  return `${current.state} (Ref: ${current.ref}). ${REASONS[current.reasonId]}${unknownAdvice(current)}${said}${editNote(report)}${expiryNote(report)} [${current.reasonId}]`;
}

function expiryNote({ case: { resultErasedAtMs: erasedAtMs } }: CaseReport): string {
  if (erasedAtMs === null) return "";
  return ` ${REASONS["result.expired"]} It was kept until ${new Date(erasedAtMs).toISOString()} [result.expired].`;
}

function editNote(report: CaseReport): string {
  if (report.editedText === null) return "";
  const members = report.editedMembers.map(({ pointer, kind }) => `${JSON.stringify(pointer)} ${kind}`);
  const which = members.length === 0 ? "" : ` (${members.join(", ")})`;
  return ` The reviewer edited your arguments${which}; what counts is: ${report.editedText}`;
}

function unknownAdvice(current: Case): string {
  return current.state === "UNKNOWN"
    ? " It may have run. Do not repeat it; a human will find out what happened."
    : "";
}

function reportData(report: CaseReport): { readonly [key: string]: unknown } {
  const { case: current, reason, editedText } = report;
  return {
    ...caseMeta(current),
    tool: current.exposedName,
    ...(reason !== null && { reviewer_reason: reason }),
    ...(current.resultErasedAtMs !== null && {
      result: { reason_id: "result.expired", kept_until: new Date(current.resultErasedAtMs).toISOString() },
    }),
    ...(editedText !== null && {
      edited_arguments: JSON.parse(editedText),
      edited_members: report.editedMembers,
    }),
  };
}

function caseMeta(current: Case): { readonly [key: string]: unknown } {
  return {
    ref: current.ref,
    state: current.state,
    reason_id: current.reasonId,
    ...(current.reviewByMs !== null && { review_by: new Date(current.reviewByMs).toISOString() }),
    ...(current.identicalTo !== null && { identical_to: current.identicalTo }),
  };
}

function keptAnswer(report: CaseReport): { result?: { [key: string]: unknown }; error?: unknown } | null {
  return report.resultText === null ? null : JSON.parse(report.resultText);
}
