import type { MCPClient } from "@ai-sdk/mcp";
import { generateText, isStepCount, type LanguageModel, type ModelMessage, type ToolSet } from "ai";
import { type CaseNote, caseOf, isOpen, listedCases, wordsOf } from "./waiting-calls.ts";

/** Tools and model together may go back and forth so often for one thing that the user said. */
const MAX_STEPS = 8;

export interface Chat {
  /** One turn: what the user says, and what the model answers after the tools that it called. */
  say(text: string): Promise<string>;
  /**
   * Asks the gateway about every call that waits, and lets the model speak about those that ended.
   *
   * @param waitSeconds how long the gateway may wait for news of each, 0 to 25
   */
  lookUp(waitSeconds: number): Promise<readonly Ended[]>;
  /** References of the calls that wait for a human. */
  waiting(): readonly string[];
}

export interface Ended {
  readonly ref: string;
  readonly state: string;
  /** The model's words about it. */
  readonly said: string;
}

interface ChatState {
  readonly client: MCPClient;
  readonly model: LanguageModel;
  readonly instructions: string;
  readonly tools: ToolSet;
  readonly messages: ModelMessage[];
  /** By reference: the call that waits, so that the model's second try of it is answered here. */
  readonly waiting: Map<string, { readonly call: string; readonly answer: unknown }>;
  readonly tell: (sentence: string) => void;
}

export interface ChatParams {
  readonly client: MCPClient;
  readonly model: LanguageModel;
  /** Told to the user whatever the model says. */
  readonly tell: (sentence: string) => void;
}

/** A conversation whose tools are behind the gateway. Calls of an earlier conversation that still wait are waited for again. */
export async function openChat(params: ChatParams): Promise<Chat> {
  const protocol = await params.client.getPrompt({ name: "governance_protocol" });
  const state: ChatState = {
    ...params,
    instructions: `You help your user with the tools you have. Be brief.\n\n${protocol.messages.map((m) => (m.content.type === "text" ? m.content.text : "")).join("\n")}`,
    tools: {},
    messages: [],
    waiting: new Map(),
  };
  Object.assign(state.tools, guarded(await params.client.tools(), state));
  const earlier = listedCases(await params.client.callTool({ name: "check_status", arguments: {} }));
  for (const { ref } of earlier) state.waiting.set(ref, { call: "", answer: null });
  return {
    say: (text) => turn([{ role: "user", content: text }], state),
    lookUp: (waitSeconds) => lookUp(waitSeconds, state),
    waiting: () => [...state.waiting.keys()],
  };
}

/** Sees every answer; a call that already waits is not sent again, whatever the model thinks. */
function guarded(tools: ToolSet, state: ChatState): ToolSet {
  const wrapped = Object.entries(tools).map(([name, tool]) => {
    const { execute } = tool;
    if (execute === undefined) return [name, tool] as const;
    const watched: typeof execute = async (input, options) => {
      const call = `${name} ${JSON.stringify(input)}`;
      const same = [...state.waiting.values()].find((one) => one.call === call);
      if (same !== undefined) return same.answer;
      const answer: unknown = await execute(input, options);
      note({ name, call, answer }, state);
      return answer;
    };
    return [name, { ...tool, execute: watched }] as const;
  });
  return Object.fromEntries(wrapped);
}

function note(done: { name: string; call: string; answer: unknown }, state: ChatState): void {
  const current = caseOf(done.answer);
  if (current === null) return;
  if (!isOpen(current)) state.waiting.delete(current.ref);
  else if (!state.waiting.has(current.ref)) {
    state.waiting.set(current.ref, { call: done.call, answer: done.answer });
    state.tell(`PENDING REVIEW (Ref: ${current.ref}): a human has to decide about ${done.name}.`);
  }
}

async function lookUp(waitSeconds: number, state: ChatState): Promise<readonly Ended[]> {
  const refs = [...state.waiting.keys()];
  const asked = refs.map(async (ref) => ({ ref, answer: await askStatus(ref, waitSeconds, state.client) }));
  const ended: Ended[] = [];
  for (const { ref, answer } of await Promise.all(asked)) {
    const current: CaseNote | null = caseOf(answer);
    if (current !== null && isOpen(current)) continue;
    state.waiting.delete(ref);
    // The model hears of it as of any tool's answer, never as the user's own words.
    const said = await turn(answeredCall(ref, answer), state);
    ended.push({ ref, state: current?.state ?? wordsOf(answer), said });
  }
  return ended;
}

function askStatus(ref: string, waitSeconds: number, client: MCPClient): Promise<unknown> {
  return client.callTool({ name: "check_status", arguments: { ref, wait_seconds: waitSeconds } });
}

function answeredCall(ref: string, answer: unknown): ModelMessage[] {
  const call = { toolCallId: `status-${ref}`, toolName: "check_status" };
  return [
    { role: "assistant", content: [{ type: "tool-call", ...call, input: { ref } }] },
    {
      role: "tool",
      content: [{ type: "tool-result", ...call, output: { type: "text", value: wordsOf(answer) } }],
    },
  ];
}

async function turn(said: readonly ModelMessage[], state: ChatState): Promise<string> {
  state.messages.push(...said);
  const result = await generateText({
    model: state.model,
    instructions: state.instructions,
    tools: state.tools,
    messages: state.messages,
    stopWhen: isStepCount(MAX_STEPS),
  });
  state.messages.push(...result.responseMessages);
  return result.text;
}
