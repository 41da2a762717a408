import { Client, SSEClientTransport } from "@modelcontextprotocol/client";
import { AtlasError } from "../domain/errors.ts";
import { productVersion } from "../version.ts";

export interface ToolAnswer {
  readonly text: string;
  readonly structured: unknown;
}

/** An agent of the command line's own, as simple as an agent can be. */
export interface AgentClient {
  toolCount(): Promise<number>;
  /** @throws AtlasError when the gateway has no such tool or does not answer */
  callTool(name: string, args: { readonly [key: string]: unknown }): Promise<ToolAnswer>;
  close(): Promise<void>;
}

/** Connects over the oldest transport, which every gateway serves. @throws AtlasError when the gateway does not let the agent in */
export async function connectAgent(params: {
  readonly name: string;
  readonly url: string;
  readonly agentKey: string;
}): Promise<AgentClient> {
  const client = new Client({ name: params.name, version: productVersion() });
  const authorization = `Bearer ${params.agentKey}`;
  const transport = new SSEClientTransport(new URL(`${params.url}/mcp/sse`), {
    requestInit: { headers: { authorization } },
    eventSourceInit: {
      fetch: (input, init) => fetch(input, { ...init, headers: { ...init?.headers, authorization } }),
    },
  });
  try {
    await client.connect(transport);
  } catch (error) {
    throw new AtlasError(
      "auth.missing",
      `The gateway at ${params.url} did not let the agent in. Is it running, and is the key right?`,
      { cause: error },
    );
  }
  return {
    toolCount: async () => (await client.listTools()).tools.length,
    callTool: (name, args) => callTool(client, name, args),
    close: () => client.close(),
  };
}

async function callTool(
  client: Client,
  name: string,
  args: { readonly [key: string]: unknown },
): Promise<ToolAnswer> {
  const result = await client
    .callTool({ name, arguments: args }, { timeout: 40_000 })
    .catch((cause: unknown) => {
      const sentence = `The gateway did not answer ${name}. This needs the welfare example behind the gateway: examples/welfare/atlas.yaml`;
      throw new AtlasError("config.invalid", sentence, { cause });
    });
  const text = result.content
    .map((block) => (block.type === "text" ? block.text : `(${block.type})`))
    .join(" ");
  return { text, structured: result.structuredContent };
}
