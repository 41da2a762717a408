import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import type { Reply } from "./model-reply.ts";

/** What the gateway must send; anything else is answered with 400, as a strict server would. */
const requestSchema = z.strictObject({
  model: z.string().min(1),
  messages: z.tuple([
    z.strictObject({ role: z.literal("system"), content: z.string().min(1) }),
    z.strictObject({ role: z.literal("user"), content: z.string().min(1) }),
  ]),
  temperature: z.literal(0),
  max_tokens: z.int().min(1),
  stream: z.literal(false),
  response_format: z
    .strictObject({
      type: z.literal("json_schema"),
      json_schema: z.strictObject({
        name: z.string(),
        strict: z.literal(true),
        schema: z.looseObject({ type: z.literal("object"), additionalProperties: z.literal(false) }),
      }),
    })
    .optional(),
});

export interface FakeChatCompletions {
  /** Up to and with `/v1`. */
  readonly baseUrl: string;
  /** Bodies of well-formed questions, in order. */
  readonly questions: z.output<typeof requestSchema>[];
  /** Questions whose asker went away before the answer. */
  readonly abandoned: () => number;
  /** What comes back for what the model reads. */
  reply: (shown: string) => Reply;
  /** Name that the answers give the model; null for the one that was asked. */
  answersAs: string | null;
  close(): Promise<void>;
}

/** A server that speaks `POST /v1/chat/completions` and does to the asker what the test says. */
export async function startFakeChatCompletions(params: {
  readonly apiKey: string | null;
  readonly reply: (shown: string) => Reply;
}): Promise<FakeChatCompletions> {
  let abandoned = 0;
  const server = createServer((request, response) => {
    response.once("close", () => {
      if (!response.writableFinished) abandoned += 1;
    });
    void answer(request, response, params.apiKey, fake);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const fake: FakeChatCompletions = {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    questions: [],
    abandoned: () => abandoned,
    reply: params.reply,
    answersAs: null,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return fake;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  apiKey: string | null,
  fake: FakeChatCompletions,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const send = (status: number, body: unknown) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  if (request.method !== "POST" || request.url !== "/v1/chat/completions") return send(404, { error: {} });
  if (apiKey !== null && request.headers.authorization !== `Bearer ${apiKey}`)
    return send(401, { error: {} });
  const body = requestSchema.safeParse(JSON.parse(Buffer.concat(chunks).toString("utf8")));
  if (!body.success) return send(400, { error: { message: z.prettifyError(body.error) } });
  fake.questions.push(body.data);
  const shown = body.data.messages.map((m) => m.content).join("\n");
  play(fake.reply(shown), response, (content) =>
    send(200, {
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1_700_000_000,
      model: fake.answersAs ?? body.data.model,
      choices: [{ index: 0, message: { role: "assistant", content, refusal: null }, finish_reason: "stop" }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    }),
  );
}

function play(reply: Reply, response: ServerResponse, complete: (content: unknown) => void): void {
  switch (reply.kind) {
    case "text":
      complete(reply.text);
      return;
    case "value":
      complete(reply.value);
      return;
    case "status":
      response.writeHead(reply.status, { "content-type": "application/json", "retry-after": "1" });
      response.end('{"error":{"message":"no"}}');
      return;
    case "html":
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<html><body>Sign in to continue</body></html>");
      return;
    case "half":
      response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
      response.write('{"id":"chatcmpl-1","choices":[{"message":{"content":"{\\"risk_score\\": 3', () =>
        response.destroy(),
      );
      return;
    case "drip": {
      response.writeHead(200, { "content-type": "application/json" });
      const drip = setInterval(() => response.write(" "), 20);
      response.once("close", () => clearInterval(drip));
      return;
    }
    case "late":
      void reply.until.then(() => complete(reply.text));
      return;
    case "never":
      return;
    default:
      reply satisfies never;
  }
}
