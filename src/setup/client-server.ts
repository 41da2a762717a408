import { z } from "zod";
import { isUpstreamName, type UpstreamEntry } from "./upstream-entry.ts";

const serverSchema = z.object({
  type: z.string().optional(),
  command: z.string().min(1).optional(),
  args: z.array(z.string()).optional(),
  cwd: z.string().min(1).optional(),
  env: z.record(z.string(), z.string()).optional(),
  url: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  disabled: z.boolean().optional(),
});

type ServerFile = z.output<typeof serverSchema>;

/** A server of a client as it can be put behind the gateway, or why it stays where it is. */
export type ReadServer =
  | {
      readonly upstream: UpstreamEntry;
      /** What may be a secret, by the name under which `.env` keeps it. */
      readonly variables: Readonly<Record<string, string>>;
    }
  | { readonly because: string };

/** Members that give a server what the gateway could not give it. */
const OWN_TO_CLIENTS = ["envFile", "headersHelper", "oauth", "auth"] as const;

export function readServer(name: string, entry: unknown): ReadServer {
  const read = serverSchema.safeParse(entry);
  if (!read.success) return { because: "its entry has another form than a server's" };
  const obstacle = obstacleOf(name, read.data, z.record(z.string(), z.unknown()).parse(entry));
  if (obstacle !== null) return { because: obstacle };
  return converted(name, read.data);
}

function obstacleOf(
  name: string,
  server: ServerFile,
  entry: Readonly<Record<string, unknown>>,
): string | null {
  if (!isUpstreamName(name)) return "its name holds other characters than letters, digits, `_` and `-`";
  if (server.disabled === true) return "it is switched off";
  if ((server.command === undefined) === (server.url === undefined))
    return "it has neither one command nor one URL";
  const own = OWN_TO_CLIENTS.find((member) => entry[member] !== undefined);
  if (own !== undefined) return `it has \`${own}\`, which only its client understands`;
  if (server.url !== undefined) {
    const url = URL.parse(server.url);
    if (url === null || !/^https?:$/u.test(url.protocol) || url.username !== "" || url.password !== "")
      return "its URL cannot be taken";
  }
  const fixed = [server.command ?? "", server.url ?? "", server.cwd ?? "", ...(server.args ?? [])];
  const replaced = [...Object.values(server.env ?? {}), ...Object.values(server.headers ?? {})];
  const isLost =
    fixed.some((text) => text.includes("${")) ||
    replaced.some((text) => text.includes("${") && variableOf(text) === null);
  return isLost ? "its client fills something in (`${…}`)" : null;
}

function converted(name: string, server: ServerFile): ReadServer {
  const variables: Record<string, string> = {};
  const keep = (what: string, value: string): string => {
    const variable = `MCP_${name}_${what}`.toUpperCase().replaceAll(/[^A-Z0-9]+/gu, "_");
    variables[variable] = value;
    return `\${${variable}}`;
  };
  const keptAll = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => {
        const named = variableOf(value);
        return [key, named === null ? keep(key, value) : `\${${named}}`];
      }),
    );
  const { command, args = [], env = {}, url, headers = {}, cwd } = server;
  if (url !== undefined) {
    const upstream = {
      name,
      url: new URL(url).search === "" ? url : keep("URL", url),
      ...(server.type === "sse" && { transport: "sse" as const }),
      ...(Object.keys(headers).length > 0 && { headers: keptAll(headers) }),
    };
    return { upstream, variables };
  }
  const upstream = {
    name,
    ...(command !== undefined && { command }),
    ...(args.length > 0 && {
      args: args.map((arg, index) =>
        isSecretLike(arg, args[index - 1]) ? keep(`ARG_${index + 1}`, arg) : arg,
      ),
    }),
    ...(cwd !== undefined && { cwd }),
    ...(Object.keys(env).length > 0 && { env: keptAll(env) }),
  };
  return { upstream, variables };
}

/** The environment variable that a whole value stands for, as `${env:NAME}` or `${NAME}`; null when it is anything else. */
function variableOf(value: string): string | null {
  return /^\$\{(?:env:)?([A-Za-z_]\w*)\}$/u.exec(value)?.[1] ?? null;
}

const SECRET_NAME = /(?:key|token|secret|passw|credential|auth)/iu;

/** An argument that names a secret, follows an option that does, or is an address with a password or a query in it. */
function isSecretLike(arg: string, before: string | undefined): boolean {
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/\s]*(?::[^/\s@]*@|.*\?)/iu.test(arg)) return true;
  if (/^-{0,2}[\w-]+[=:]/u.test(arg)) return SECRET_NAME.test(arg.split(/[=:]/u, 1)[0] ?? "");
  return (
    before !== undefined && /^--?[\w-]+$/u.test(before) && SECRET_NAME.test(before) && !arg.startsWith("-")
  );
}
