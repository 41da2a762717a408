type LogMethod = (fields: { readonly [key: string]: unknown }, message: string) => void;

/** What this folder needs of a logger. */
export interface UpstreamLog {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
}
