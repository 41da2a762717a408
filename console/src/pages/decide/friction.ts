import type { CaseDetailBody } from "../../../../src/http/contract.ts";
import { countHidden } from "../../text/hidden-characters.ts";
import { parseJsonText, pieceAt } from "../../text/json-text.ts";

/** What an approval takes: one step, a second one to confirm, or the value that matters typed by hand. */
export type Friction = "one" | "two" | "typed";

/** From this score on an approval is confirmed, and from the next on the value that matters is typed. */
const CONFIRM_FROM = 80;
const TYPE_FROM = 90;

/** Friction grows with risk. What nobody scored is confirmed; what nobody can describe may be past recall. */
export function frictionOf(
  detail: Pick<CaseDetailBody, "manifest"> & { readonly case: { readonly risk_score: number | null } },
): Friction {
  const score = detail.case.risk_score;
  if (detail.manifest?.reversible !== true || (score ?? 0) >= TYPE_FROM) return "typed";
  return score === null || score >= CONFIRM_FROM ? "two" : "one";
}

/** Longest value that somebody is asked to type, in characters. */
const MAX_TYPED = 48;

/** Names of arguments that say how much or whom, when no factor of the score points at one. */
const TELLING = [
  /amount|sum|total|price|value/i,
  /(?:^|_)(?:id|iban|account|email|to|recipient|path|url|host|target|name)$/i,
];

/** What is typed before a grave approval. */
export interface TypedValue {
  /** Name of the argument; null: it is the name of the tool. */
  readonly argument: string | null;
  readonly value: string;
}

/**
 * The value that matters: what the weightiest factor points at, else what is named like an amount or a recipient, else the
 * first argument that can be typed, else the name of the tool.
 */
export function valueThatMatters(
  detail: Pick<CaseDetailBody, "assessment"> & { readonly case: { readonly tool: string } },
  argumentsText: string | null,
): TypedValue {
  const text = argumentsText ?? "{}";
  const names = parseJsonText(text)?.members.map((member) => member.name) ?? [];
  const pointed = evidenceOf(detail.assessment).filter((pointer) => pointer.startsWith("/arguments/"));
  const pointers = [
    ...pointed.map((pointer) => pointer.slice("/arguments".length)),
    ...TELLING.flatMap((pattern) => names.filter((name) => pattern.test(name)).map(pointerTo)),
    ...names.map(pointerTo),
  ];
  for (const pointer of pointers) {
    const value = typedPiece(pieceAt(text, pointer));
    if (value !== null) return { argument: pointer.slice(1), value };
  }
  return { argument: null, value: detail.case.tool };
}

const pointerTo = (name: string) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** A text or a number that somebody can type as they see it; null for everything else. */
function typedPiece(piece: string | undefined): string | null {
  if (piece === undefined || /^[{[tfn]/.test(piece)) return null;
  const value = piece.startsWith('"') ? String(JSON.parse(piece)) : piece;
  const canBeTyped = value.length > 0 && value.length <= MAX_TYPED && value.trim() === value;
  return canBeTyped && countHidden(value) === 0 ? value : null;
}

/** Evidence of the factors, the weightiest first. */
function evidenceOf(assessment: unknown): readonly string[] {
  return factorsOf(assessment)
    .toSorted((a, b) => b.weight - a.weight)
    .map((factor) => factor.evidence);
}

/** One reason for a score, as the assessor gave it. */
export interface Factor {
  readonly id: string;
  readonly weight: number;
  /** JSON pointer into the call. */
  readonly evidence: string;
  readonly tag: string | null;
}

/** The contract leaves the assessment open, so each member is looked at. */
export function factorsOf(assessment: unknown): readonly Factor[] {
  const listed = memberOf(assessment, "factors");
  if (!Array.isArray(listed)) return [];
  return listed.map((factor: unknown) => ({
    id: textOrNull(memberOf(factor, "id")) ?? "factor",
    weight: Number(memberOf(factor, "weight") ?? 0),
    evidence: textOrNull(memberOf(factor, "evidence")) ?? "",
    tag: textOrNull(memberOf(factor, "tag")),
  }));
}

export function textOrNull(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
