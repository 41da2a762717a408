/** A framework for agents, connected to the gateway as its own documentation says. */
export interface Framework {
  readonly name: string;
  /** @returns a conversation whose model is at `modelUrl` (chat completions) and whose tools are the gateway's */
  connect(params: FrameworkParams): Promise<Conversation>;
}

export interface FrameworkParams {
  readonly mcpUrl: URL;
  readonly headers: Record<string, string>;
  readonly modelUrl: string;
}

export interface Conversation {
  /** One turn, with whatever the framework does until the model has spoken. @returns the model's last words */
  say(text: string): Promise<string>;
  close(): Promise<void>;
}
