/** Everything that can be answered, by name. A list (upstreams) is one entry a line. */
export interface Answers {
  readonly judge: string;
  readonly modalFunction: string;
  readonly modalTokenId: string;
  readonly modalTokenSecret: string;
  readonly openaiKey: string;
  readonly modelUrl: string;
  readonly model: string;
  readonly inngestEventKey: string;
  readonly inngestSigningKey: string;
  readonly inngestUrl: string;
  readonly databaseUrl: string;
  readonly upstreams: string;
  readonly clients: string;
  readonly port: string;
}

export type AnswerName = keyof Answers;

/** One question: how it is asked, answered without asking, and checked. */
export interface Question {
  readonly name: AnswerName;
  readonly prompt: string;
  /** Option of the command line, as commander writes it. */
  readonly flag: string;
  /** Environment variable that answers it; also its name in `.env` where {@link kept}. */
  readonly variable: string;
  readonly fallback: (earlier: Partial<Answers>) => string;
  /** Never shown. Its option is for machines of one's own: others see a command line. */
  readonly secret?: true;
  /** Lives in `.env`, not in `atlas.yaml`. */
  readonly kept?: true;
  /** Asked until nothing more is said. */
  readonly many?: true;
  readonly choices?: readonly string[];
  /** Whether it matters after what was answered before. */
  readonly when?: (earlier: Partial<Answers>) => boolean;
  /** A sentence that says what is wrong and what to do; undefined when the value can be taken. Never repeats a secret. */
  readonly check: (value: string, earlier: Partial<Answers>) => string | undefined;
}

export const DEFAULT_MODAL_FUNCTION = "nislam-mics/ATLAS-NIST-Measure";
const OPENAI_URL = "https://api.openai.com/v1";
const OLLAMA_URL = "http://127.0.0.1:11434/v1";

export const JUDGES = ["none", "modal", "openai", "ollama"] as const;

/** In the order in which they are asked. */
export const QUESTIONS: readonly Question[] = [
  {
    name: "judge",
    prompt: "Model that scores calls (none: the embedded assessor)",
    flag: "--judge <kind>",
    variable: "ATLAS_JUDGE",
    fallback: () => "none",
    choices: JUDGES,
    check: oneOf(JUDGES),
  },
  {
    name: "modalFunction",
    prompt: "Modal function",
    flag: "--modal-function <name>",
    variable: "MODAL_FUNCTION_NAME",
    kept: true,
    fallback: () => DEFAULT_MODAL_FUNCTION,
    when: isModal,
    check: (value) =>
      /^[\w.-]+\/[\w.-]+(?:\/[\w.-]+)?(?:@[\w.-]+)?$/u.test(value)
        ? undefined
        : "This is no Modal function; write workspace/App, or workspace/App/function.",
  },
  {
    name: "modalTokenId",
    prompt: "Modal token id (ak-…)",
    flag: "--modal-token-id <id>",
    variable: "MODAL_TOKEN_ID",
    secret: true,
    kept: true,
    fallback: () => "",
    when: isModal,
    check: beginsWith("ak-", "Modal token id", "make a token at modal.com under Settings, API Tokens"),
  },
  {
    name: "modalTokenSecret",
    prompt: "Modal token secret (as-…)",
    flag: "--modal-token-secret <secret>",
    variable: "MODAL_TOKEN_SECRET",
    secret: true,
    kept: true,
    fallback: () => "",
    when: isModal,
    check: beginsWith("as-", "Modal token secret", "make a token at modal.com under Settings, API Tokens"),
  },
  {
    name: "modelUrl",
    prompt: "Address of the model's API",
    flag: "--model-url <url>",
    variable: "ATLAS_MODEL_URL",
    fallback: ({ judge }) => (judge === "openai" ? OPENAI_URL : OLLAMA_URL),
    when: isChat,
    check: httpUrl,
  },
  {
    name: "model",
    prompt: "Model",
    flag: "--model <name>",
    variable: "ATLAS_MODEL",
    fallback: ({ judge }) => (judge === "openai" ? "gpt-4.1-mini" : "llama3.2"),
    when: isChat,
    check: (value) =>
      /^\S{1,200}$/u.test(value) ? undefined : "Write the model's name, without spaces; none is not enough.",
  },
  {
    name: "openaiKey",
    prompt: "Key of the model's API",
    flag: "--openai-key <key>",
    variable: "OPENAI_API_KEY",
    secret: true,
    kept: true,
    fallback: () => "",
    when: ({ judge }) => judge === "openai",
    check: (value, { modelUrl = OPENAI_URL }) =>
      isOpenAi(modelUrl)
        ? beginsWith("sk-", "OpenAI key", "make one at platform.openai.com under API keys")(value)
        : secretText(value),
  },
  {
    name: "inngestEventKey",
    prompt: "Inngest event key (empty: no Inngest, the embedded engine)",
    flag: "--inngest-event-key <key>",
    variable: "INNGEST_EVENT_KEY",
    secret: true,
    kept: true,
    fallback: () => "",
    check: secretText,
  },
  {
    name: "inngestSigningKey",
    prompt: "Inngest signing key",
    flag: "--inngest-signing-key <key>",
    variable: "INNGEST_SIGNING_KEY",
    secret: true,
    kept: true,
    fallback: () => "",
    when: usesInngest,
    check: (value) =>
      /^(?:signkey-[a-z0-9]+-)?(?:[0-9a-f]{2}){16,}$/iu.test(value)
        ? undefined
        : "This is no Inngest signing key; it is signkey-…- and at least 32 hexadecimal digits, or the digits alone.",
  },
  {
    name: "inngestUrl",
    prompt: "Address of your own Inngest server (empty: Inngest's)",
    flag: "--inngest-url <url>",
    variable: "INNGEST_BASE_URL",
    kept: true,
    fallback: () => "",
    when: usesInngest,
    check: (value) => (value === "" ? undefined : httpUrl(value)),
  },
  {
    name: "databaseUrl",
    prompt: "Postgres URL (empty: SQLite in the data folder)",
    flag: "--database-url <url>",
    variable: "ATLAS_DATABASE_URL",
    secret: true,
    kept: true,
    fallback: () => "",
    check: (value) =>
      value === "" ||
      (/^postgres(?:ql)?:\/\/[^\s']+$/u.test(value) && (URL.parse(value)?.pathname.length ?? 0) > 1)
        ? undefined
        : "This is no Postgres URL; write postgres://user:password@host:5432/database, or nothing for SQLite.",
  },
  {
    name: "upstreams",
    prompt: "Tool server to govern, as name=command or name=https://… (empty: no more)",
    flag: "--upstream <name=what>",
    variable: "ATLAS_UPSTREAMS",
    many: true,
    fallback: () => "",
    // What an entry must look like is checked where it is read (upstream-entry.ts).
    check: () => undefined,
  },
  {
    name: "clients",
    prompt: "Clients whose servers go behind the gateway (all, none, or ids with commas)",
    flag: "--clients <ids>",
    variable: "ATLAS_CLIENTS",
    fallback: () => "none",
    check: (value) =>
      /^[a-z-]+(?:,[a-z-]+)*$/u.test(value) ? undefined : "Write all, none, or ids of clients with commas.",
  },
  {
    name: "port",
    prompt: "Port",
    flag: "--port <number>",
    variable: "ATLAS_PORT",
    fallback: () => "8000",
    check: (value) =>
      /^[1-9]\d{0,4}$/u.test(value) && Number(value) <= 65_535
        ? undefined
        : "A port is a number from 1 to 65535.",
  },
];

function isModal({ judge }: Partial<Answers>): boolean {
  return judge === "modal";
}

function usesInngest({ inngestEventKey = "" }: Partial<Answers>): boolean {
  return inngestEventKey !== "";
}

function isChat({ judge }: Partial<Answers>): boolean {
  return judge === "openai" || judge === "ollama";
}

export function isOpenAi(url: string): boolean {
  return URL.parse(url)?.hostname === new URL(OPENAI_URL).hostname;
}

function oneOf(choices: readonly string[]): Question["check"] {
  return (value) => (choices.includes(value) ? undefined : `Write one of ${choices.join(", ")}.`);
}

function beginsWith(prefix: string, what: string, advice: string): (value: string) => string | undefined {
  return (value) =>
    value.startsWith(prefix) && /^[\x21-\x7e]{6,}$/u.test(value) && !value.includes("'")
      ? undefined
      : `This is no ${what}: one begins with ${prefix}; ${advice}.`;
}

/** Empty is a value: a key that is not needed. */
function secretText(value: string): string | undefined {
  return /^[\x21-\x26\x28-\x7e]*$/u.test(value)
    ? undefined
    : "A key holds neither spaces, quotation marks nor line breaks; copy it again.";
}

function httpUrl(value: string): string | undefined {
  const url = URL.parse(value);
  return url !== null && /^https?:$/u.test(url.protocol) && url.username === ""
    ? undefined
    : "This is no address; write one such as http://127.0.0.1:11434/v1, without a password in it.";
}
