import { gatewayNow } from "./api.js";
import { countHidden, duration, h, indented, nameOf, timeOf, visible } from "./dom.js";

const STATE_WORDS = {
  ASSESSING: "Being assessed",
  AWAITING_REVIEW: "Waiting for a decision",
  AUTHORIZED: "Authorized, about to run",
  EXECUTING: "Running now",
  UNKNOWN: "Outcome unknown",
  SUCCEEDED: "Ran",
  FAILED: "Failed",
  DENIED: "Denied by policy",
  REJECTED: "Rejected",
  EXPIRED: "Expired",
  CANCELLED: "Withdrawn",
};

export function stateBadge(state) {
  return h("span", { class: `state state-${state.toLowerCase()}` }, STATE_WORDS[state] ?? state);
}

export function riskBadge(item) {
  if (item.risk_score === null) return h("span", { class: "risk risk-none" }, "not scored");
  const words = item.classification ?? "UNCLASSIFIED";
  return h(
    "span",
    { class: `risk risk-${words.toLowerCase()}`, title: "Risk score, 0 to 100" },
    h("b", {}, words.replaceAll("_", " ")),
    ` ${item.risk_score}`,
  );
}

/** Counts down by the gateway's clock; `refreshCountdowns` keeps it going. */
export function countdown(iso) {
  return h("span", { class: "countdown", "data-until": iso, title: iso });
}

export function refreshCountdowns(root) {
  for (const element of root.querySelectorAll("[data-until]")) {
    const left = Date.parse(element.dataset.until) - gatewayNow();
    element.textContent = left <= 0 ? "deadline passed" : `${duration(left)} left`;
    element.classList.toggle("soon", left < 15 * 60_000);
  }
}

/** What will happen, by rule from the record; no word of it comes from a model. */
export function whatHappens(item, argumentCount) {
  const name = (text) => h("b", {}, nameOf(text));
  const shapes = { null: "", 0: " without arguments", 1: " with 1 argument" };
  const shape = shapes[argumentCount] ?? ` with ${argumentCount} arguments`;
  return h(
    "p",
    { class: "sentence" },
    "Agent ",
    name(item.agent),
    " asks to run ",
    name(item.tool),
    " on ",
    name(item.upstream),
    `${shape}. `,
    item.state === "AWAITING_REVIEW" &&
      "If you approve, the gateway sends exactly the arguments below, once.",
  );
}

const ENDS = {
  AUTHORIZED: () => "The call may run and has not been sent yet.",
  EXECUTING: () => "The call was sent, or is being sent now. There is no outcome yet.",
  REJECTED: (_item, reason) =>
    `The call did not run. The agent is told${reason === null ? "" : ", with the reason"}.`,
  EXPIRED: (item) => `The call did not run. ${item.reason}`,
  DENIED: (item) => `The call did not run. ${item.reason}`,
  CANCELLED: () => "The call did not run. The request was withdrawn.",
  SUCCEEDED: () => "The call ran, and the upstream answered.",
  FAILED: (item) => `The call failed. ${item.reason}`,
  UNKNOWN: (item) =>
    `Nobody knows whether the call ran. ${item.reason} It is not repeated by itself: find out at the upstream what happened before anybody asks for it again.`,
};

/** What a person found out is their word; the gateway saw nothing itself. */
const REPORTED = {
  SUCCEEDED: () => "A person found out that the call ran. The gateway itself got no answer.",
  FAILED: () => "A person found out that the call did not do its work. The gateway itself got no answer.",
};

/** How it ended, told no better than it is known. */
export function outcome(detail) {
  const item = detail.case;
  const isReported = item.reason_id === "resolution.reported";
  const end = isReported ? REPORTED[item.state] : ENDS[item.state];
  if (end === undefined) return null;
  const parts = [h("p", {}, stateBadge(item.state), " ", end(item, detail.decision_reason))];
  if (item.decided_by !== null) {
    const verb = isReported ? "Reported" : item.state === "REJECTED" ? "Rejected" : "Approved";
    parts.push(
      h("p", {}, `${verb} by `, h("b", {}, visible(item.decided_by)), " at ", timeOf(item.decided_at), "."),
    );
  } else if (item.authorization !== null) {
    parts.push(h("p", {}, `No human decided: ${item.reason}`));
  }
  if (detail.decision_reason !== null) {
    parts.push(h("h3", {}, "Reason given"), exactText(detail.decision_reason, "Reason given", /\n/u));
  }
  if (detail.resolution !== null) {
    parts.push(h("h3", {}, "How they know"), exactText(detail.resolution, "How they know", /\n/u));
  }
  if (detail.result !== null) {
    parts.push(h("h3", {}, "What the upstream answered"), answer(detail.result));
  } else if (item.state === "SUCCEEDED") {
    parts.push(h("p", { class: "quiet" }, "Its answer was not kept here."));
  }
  return h(
    "section",
    { class: `card outcome outcome-${item.state.toLowerCase()}`, "aria-label": "Outcome" },
    h("h2", {}, "Outcome"),
    parts,
  );
}

/** The words of the answer, when it is nothing but words; as it came is one click away. */
function answer(text) {
  const label = "What the upstream answered";
  const words = wordsOf(text);
  if (words === null) return jsonText(text, label);
  return [
    words.map((block) => exactText(block, label, /\n/u)),
    h("details", {}, h("summary", {}, "As it came"), jsonText(text, `${label}, as it came`)),
  ];
}

function wordsOf(text) {
  try {
    const blocks = JSON.parse(text).result.content;
    return blocks.length > 0 && blocks.every(({ type }) => type === "text")
      ? blocks.map((block) => String(block.text))
      : null;
  } catch {
    return null; // Shown as it came, whatever it is.
  }
}

export function exactText(text, label, keep) {
  return h("pre", { class: "exact", tabindex: 0, role: "region", "aria-label": label }, visible(text, keep));
}

/** Exact text first; line breaks between the tokens are a help for reading that can be switched on. */
function jsonText(text, label) {
  const box = h("div", {});
  const show = (readable) => {
    const pre = readable
      ? exactText(indented(text), `${label}, indented`, /\n/u)
      : exactText(text, `${label}, exact`);
    const toggle = h(
      "button",
      { type: "button", class: "small", onclick: () => show(!readable) },
      readable ? "Show exact bytes" : "Indent for reading",
    );
    const hidden = countHidden(text);
    box.replaceChildren(
      hidden > 0
        ? h(
            "p",
            { class: "warn" },
            `Contains ${hidden} ${hidden === 1 ? "character" : "characters"} that cannot be seen by themselves, shown as ⟨U+…⟩.`,
          )
        : "",
      pre,
      h(
        "p",
        { class: "under" },
        toggle,
        h(
          "span",
          { class: "quiet" },
          readable
            ? "Line breaks added between fields only."
            : `${new TextEncoder().encode(text).length} bytes, nothing added and nothing left out.`,
        ),
      ),
    );
  };
  show(false);
  return box;
}

export function argumentsCard(detail) {
  const body =
    detail.arguments === null
      ? h("p", { class: "warn" }, "The arguments were erased.")
      : jsonText(detail.arguments, "Arguments");
  return h(
    "section",
    { class: "card", "aria-label": "Arguments" },
    h("h2", {}, "Arguments"),
    body,
    detail.meta === null
      ? null
      : [h("h3", {}, "Forwarded with it (_meta)"), jsonText(detail.meta, "Forwarded _meta")],
  );
}

const VERDICT_WORDS = {
  allow: "allow, calls run at once",
  deny: "deny, calls never run",
  assess: "assess, calls with a high score wait for a human",
  review: "review, every call waits for a human",
};

export function riskCard(detail) {
  const item = detail.case;
  const isWaiting = item.state === "AWAITING_REVIEW";
  const held =
    item.rule === null
      ? "No policy rule names this tool."
      : [
          "Policy rule ",
          h("code", {}, visible(item.rule)),
          `: ${VERDICT_WORDS[item.verdict] ?? item.verdict}.`,
        ];
  const factors = detail.assessment?.factors ?? [];
  return h(
    "section",
    { class: "card", "aria-label": "Risk" },
    h("h2", {}, isWaiting ? "Why a human is asked" : "Risk"),
    h("p", {}, riskBadge(item), " ", isWaiting ? item.reason : ""),
    h("p", { class: "quiet" }, held),
    factors.length === 0
      ? h("p", { class: "quiet" }, "No risk factors were recorded.")
      : h("ul", { class: "factors", "aria-label": "Risk factors" }, factors.map(factorRow)),
    detail.assessment?.rationale
      ? h(
          "details",
          {},
          h("summary", {}, `What the assessor wrote (${detail.assessment.assessor})`),
          h("p", { class: "untrusted" }, visible(detail.assessment.rationale)),
        )
      : null,
  );
}

function factorRow(factor) {
  return h(
    "li",
    {},
    h("span", { class: "weight" }, String(factor.weight)),
    h("code", {}, visible(factor.id)),
    factor.evidence ? h("span", { class: "quiet" }, "at ", h("code", {}, visible(factor.evidence))) : null,
    factor.tag ? h("span", { class: "tag" }, visible(factor.tag)) : null,
  );
}

const PIN_WORDS = {
  accepted: "The tool's definition is the one that was accepted.",
  changed: "The tool's definition differs from the one that was accepted. Read it before you decide.",
  unknown: "This tool has no accepted definition. Read it before you decide.",
};

export function toolCard(detail) {
  const { definition } = detail;
  const item = detail.case;
  return h(
    "section",
    { class: "card", "aria-label": "Tool" },
    h("h2", {}, "Tool"),
    h("p", { class: definition.state === "accepted" ? "" : "warn" }, PIN_WORDS[definition.state]),
    h(
      "dl",
      {},
      row("Tool", nameOf(item.tool)),
      row("Upstream", nameOf(item.upstream)),
      row("Called as", nameOf(item.exposed_name)),
      row("Definition pin", h("code", {}, definition.pin)),
    ),
    definition.text === null
      ? null
      : h(
          "details",
          {},
          h("summary", {}, "Definition as the upstream sent it (untrusted)"),
          jsonText(definition.text, "Tool definition"),
        ),
  );
}

export function recordCard(detail) {
  const item = detail.case;
  return h(
    "section",
    { class: "card", "aria-label": "Record" },
    h("h2", {}, "Record"),
    h(
      "dl",
      {},
      row("Reference", h("code", {}, item.ref)),
      row("Action digest", h("code", {}, item.digest)),
      row("Asked at", timeOf(item.opened_at)),
      item.review_by ? row("Decide by", timeOf(item.review_by)) : null,
      item.finished_at ? row("Ended at", timeOf(item.finished_at)) : null,
      item.identical_to
        ? row("Same call as", h("a", { href: `#/cases/${item.identical_to}` }, item.identical_to))
        : null,
    ),
  );
}

function row(name, ...value) {
  return [h("dt", {}, name), h("dd", {}, value)];
}
