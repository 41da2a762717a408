import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";

/** How the issuer answers who asks for its keys. */
export type Behaviour = "well" | "down" | "slow" | "error" | "redirect" | "page" | "no_set" | "huge";

export interface IssuerKey {
  readonly alg: string;
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly privateKey: CryptoKey;
}

export interface TokenParams {
  /** Over the claims of a sound token; `undefined` leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Over `alg`, `kid` and `typ`. */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly key?: IssuerKey;
}

/** An OAuth 2.1 authorization server: metadata, keys that can be rotated, and tokens for clients' credentials. */
export interface TestIssuer {
  /** `iss`, and where it listens. */
  readonly url: string;
  readonly jwksUrl: string;
  /** Newest key. */
  readonly key: IssuerKey;
  /** How often somebody asked for the keys. */
  readonly jwksRequests: () => number;
  /** Bodies of the token requests it took. */
  readonly tokenRequests: readonly URLSearchParams[];
  behave(behaviour: Behaviour): void;
  /** Makes a new key and forgets the others. */
  rotate(alg?: string): Promise<IssuerKey>;
  /** A token that is sound but for what is asked for; good for a minute. */
  token(params?: TokenParams): Promise<string>;
  close(): Promise<void>;
}

export interface TestIssuerParams {
  /** `aud` of its tokens. */
  readonly audience: string;
  /** `sub` of its tokens. */
  readonly subject: string;
}

export async function newIssuerKey(alg = "ES256", kid = `key-${Math.random()}`): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), alg, kid, use: "sig" } };
}

export async function startIssuer(params: TestIssuerParams): Promise<TestIssuer> {
  let key = await newIssuerKey();
  let behaviour: Behaviour = "well";
  let jwksRequests = 0;
  const tokenRequests: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://issuer").pathname;
    if (path === "/jwks") {
      jwksRequests += 1;
      answerKeys(response, behaviour, [key.publicJwk]);
    } else if (path === "/token") {
      void issueToken(request, response);
    } else if (path.startsWith("/.well-known/oauth-authorization-server")) {
      sendJson(response, metadataOf(url));
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function issueToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const form = new URLSearchParams(body);
    tokenRequests.push(form);
    const scope = form.get("scope");
    const claims = scope === null ? {} : { scope };
    sendJson(response, { access_token: await token({ claims }), token_type: "Bearer", expires_in: 60 });
  }

  async function token({ claims = {}, header = {}, key: signer = key }: TokenParams = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1_000);
    const { audience: aud, subject: sub } = params;
    const all: JWTPayload = { iss: url, aud, sub, iat: now, exp: now + 60, ...claims };
    const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return new SignJWT(payload)
      .setProtectedHeader({ alg: signer.alg, kid: signer.kid, typ: "at+jwt", ...header })
      .sign(signer.privateKey);
  }

  return {
    url,
    jwksUrl: `${url}/jwks`,
    get key() {
      return key;
    },
    jwksRequests: () => jwksRequests,
    tokenRequests,
    behave: (next) => {
      behaviour = next;
    },
    rotate: async (alg) => {
      key = await newIssuerKey(alg);
      return key;
    },
    token,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answerKeys(response: ServerResponse, behaviour: Behaviour, keys: readonly JWK[]): void {
  switch (behaviour) {
    case "well":
      return sendJson(response, { keys });
    case "down":
      return void response.destroy();
    case "slow":
      return void response.writeHead(200, { "content-type": "application/json" }).write('{"keys":');
    case "error":
      return void response.writeHead(500).end(JSON.stringify({ keys }));
    case "redirect":
      return void response.writeHead(302, { location: "/jwks?again" }).end(JSON.stringify({ keys }));
    case "page":
      return void response.writeHead(200, { "content-type": "text/html" }).end("<title>Sign in</title>");
    case "no_set":
      return sendJson(response, { keys: "none" });
    case "huge":
      return sendJson(response, { keys, padding: "x".repeat(1024 * 1024) });
    default:
      return behaviour satisfies never;
  }
}

function metadataOf(url: string): object {
  return {
    issuer: url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    jwks_uri: `${url}/jwks`,
    response_types_supported: ["code"],
    grant_types_supported: ["client_credentials"],
    token_endpoint_auth_methods_supported: ["client_secret_basic"],
  };
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}
