import { compileGlob } from "../policy/glob.ts";
import { findUnreachableRules } from "../policy/policy.ts";
import type { Config } from "./config.ts";

/** What is allowed but probably not meant: one sentence each, with what to do. Empty when nothing stands out. */
export function checkConfig(config: Config): readonly string[] {
  return [
    ...checkMode(config),
    ...checkPeople(config),
    ...checkUpstreams(config),
    ...checkRules(config),
    ...checkNetwork(config),
    ...checkRetention(config),
  ];
}

function checkMode(config: Config): readonly string[] {
  if (config.observe)
    return [
      "The gateway does not enforce anything: `mode: observe` lets every call through and only records.",
    ];
  return [
    ...config.upstreams
      .filter((u) => u.observe)
      .map((u) => `Calls to ${u.name} are not held: it is in mode observe.`),
    ...config.policy.rules
      .filter((r) => r.observe)
      .map((r) => `Rule ${r.id} holds nothing: it is in mode observe.`),
  ];
}

function checkPeople(config: Config): readonly string[] {
  return config.singleOperator
    ? [
        "The gateway runs in single-operator mode: people decide cases of their own agents, and every such decision is marked. Leave out `single_operator` once there is a second person.",
      ]
    : [];
}

function checkUpstreams(config: Config): readonly string[] {
  return config.upstreams.length > 0
    ? []
    : ["There are no upstreams, so agents see no tools; add one under `upstreams`."];
}

function checkRules(config: Config): readonly string[] {
  const { rules } = config.policy;
  const unreachable = findUnreachableRules({ rules }).map(
    ({ ruleId, coveredBy }) =>
      `Rule ${ruleId} can never match because rule ${coveredBy} before it takes all that it names; move it up or remove it.`,
  );
  const nowhere = rules
    .filter((rule) => config.upstreams.length > 0 || !/^\*+$/u.test(rule.upstream))
    .filter((rule) => !config.upstreams.some((upstream) => compileGlob(rule.upstream).matches(upstream.name)))
    .map(
      (rule) =>
        `Rule ${rule.id} names the upstream ${rule.upstream}, which does not exist; correct or remove it.`,
    );
  return [...unreachable, ...nowhere];
}

/** Six months: what Article 26(6) of Regulation (EU) 2024/1689 asks deployers of high-risk systems to keep logs for at least. */
const LOG_RETENTION_MS = 183 * 24 * 3_600_000;

function checkRetention({ retention }: Config): readonly string[] {
  if (retention.textsMs === null || retention.textsMs >= LOG_RETENTION_MS) return [];
  return [
    "Texts of cases are erased in less than 183 days; where the EU AI Act asks for logs of six months, raise `retention.payloads`.",
  ];
}

function checkNetwork(config: Config): readonly string[] {
  const warnings: string[] = [];
  const publicUrl = config.publicUrl === null ? null : new URL(config.publicUrl);
  if (publicUrl?.protocol === "http:" && !isLoopback(publicUrl.hostname)) {
    warnings.push(
      "`public_url` is plain http: keys, tokens and sessions travel in clear and whoever sees them can use them. Put a proxy with TLS in front and write its https address.",
    );
  } else if (publicUrl === null && !isLoopback(config.listen.host)) {
    warnings.push(
      `The gateway listens on ${config.listen.host}, which other machines can reach, without TLS: keys, tokens and sessions travel in clear and whoever sees them can use them. Put a proxy with TLS in front and write its https address as \`public_url\`, or listen on 127.0.0.1.`,
    );
  }
  const address = modelAddress(config);
  if (address !== null && address.protocol === "http:" && !isLoopback(address.hostname)) {
    warnings.push(
      `The model is asked at ${address.host} over plain http, where others can read the calls; use https.`,
    );
  }
  const { webhook } = config.notify;
  if (webhook !== null) {
    const url = new URL(webhook.url);
    if (url.protocol === "http:" && !isLoopback(url.hostname)) {
      warnings.push(`The webhook sends to ${url.host} over plain http, where others can read it; use https.`);
    }
  }
  return warnings;
}

function modelAddress({ risk: { model } }: Config): URL | null {
  if (model === null || model.kind === "modal") return null;
  return new URL(model.kind === "modal-web" ? model.url : model.baseUrl);
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/gu, "").toLowerCase();
  return bare === "localhost" || bare === "::1" || /^127(?:\.\d{1,3}){3}$/u.test(bare);
}
