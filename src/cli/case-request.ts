import { callApi } from "./api-client.ts";
import { gatewayUrl, reviewerToken, type WhereOptions } from "./where.ts";

/** Options that every command about cases has. */
export interface CaseOptions extends WhereOptions {
  readonly reviewerToken?: string;
  readonly json?: boolean;
}

/** One request about cases, as the person whose token is meant. */
export function request(options: CaseOptions, path: string, body?: object | string): Promise<unknown> {
  const to = { url: gatewayUrl(options), path, token: reviewerToken(options) };
  return callApi(body === undefined ? to : { ...to, body });
}

export function casePath(ref: string): string {
  return `/api/v1/cases/${encodeURIComponent(ref)}`;
}

export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}
