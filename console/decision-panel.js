import { api, Refused } from "./api.js";
import { exactText } from "./case-view.js";
import { h, nameOf, timeOf } from "./dom.js";

/** A change under the pointer must not turn a click into another decision. */
const LOCK_MS = 1000;

/** Longest reason the gateway takes. */
const MAX_REASON = 2000;

const WHY_NOT = {
  not_a_reviewer: "You may read this case. Deciding it needs the role reviewer.",
  taken: "Another reviewer has taken this case.",
  owns_the_agent: "You answer for the agent that made this call, so somebody else must decide.",
};

function lock(buttons) {
  for (const button of buttons) button.disabled = true;
  setTimeout(() => {
    for (const button of buttons) button.disabled = false;
  }, LOCK_MS);
}

/**
 * What the person may do with the case as shown. `onDone(message)` is called after every answer of the gateway,
 * so that the page shows the case as it stands.
 */
export function decisionPanel(detail, { onDone, singleOperator }) {
  const item = detail.case;
  const panel = h("section", { class: "card", "aria-label": "Decision", tabindex: -1 });
  if (item.state === "AWAITING_REVIEW" && detail.permissions.decide)
    choose(panel, detail, { onDone, singleOperator });
  else if (item.state === "UNKNOWN" && detail.permissions.resolve) settlement(panel, detail, { onDone });
  else if (detail.permissions.because !== null) {
    panel.append(
      h("h2", {}, "Decision"),
      h("p", { class: "warn" }, WHY_NOT[detail.permissions.because] ?? ""),
      h("div", {}, detail.permissions.because === "taken" && takeOver(detail, { onDone })),
    );
  } else if (detail.permissions.withdraw) withdrawal(panel, detail, { onDone });
  else return null;
  return panel;
}

function choose(panel, detail, context) {
  const open = (decision) => confirmation(panel, detail, decision, context);
  const approve = h(
    "button",
    { type: "button", class: "choice", onclick: () => open("APPROVED") },
    "Approve…",
  );
  const reject = h("button", { type: "button", class: "choice", onclick: () => open("REJECTED") }, "Reject…");
  panel.className = "card decide";
  panel.replaceChildren(
    h("h2", {}, "Decision"),
    context.singleOperator
      ? h(
          "p",
          { class: "quiet" },
          "Single-operator mode: decisions are recorded as made by the one person who runs everything.",
        )
      : "",
    h("div", { class: "choices" }, approve, reject),
  );
  lock([approve, reject]);
}

function confirmation(panel, detail, decision, context) {
  const item = detail.case;
  const approving = decision === "APPROVED";
  const verb = approving ? "Approve" : "Reject";
  const reason = h("textarea", { id: "reason", rows: 3, maxlength: MAX_REASON });
  const confirm = h(
    "button",
    { type: "submit", class: approving ? "choice yes" : "choice no" },
    approving ? "Approve and run" : "Reject, do not run",
  );
  const goBack = () => {
    choose(panel, detail, context);
    panel.focus();
  };
  const back = h("button", { type: "button", class: "choice", onclick: goBack }, "Back");
  const form = h(
    "form",
    {
      onsubmit: (event) => void submit(event),
      onkeydown: (event) => {
        if (event.key === "Escape" && !back.disabled) goBack();
      },
    },
    h("h2", {}, `${verb} `, nameOf(item.tool), " on ", nameOf(item.upstream), "?"),
    detail.arguments === null ? null : exactText(detail.arguments, "Arguments you decide on"),
    h(
      "p",
      { class: "quiet" },
      "Digest ",
      h("code", {}, item.digest.slice(0, 12)),
      "… – your decision is about exactly this.",
    ),
    h(
      "label",
      { for: "reason" },
      approving ? "Note for the record (optional)" : "Reason (optional; the agent reads it)",
    ),
    reason,
    h("div", { class: "choices" }, confirm, back),
  );

  async function submit(event) {
    event.preventDefault();
    confirm.disabled = true;
    back.disabled = true;
    const text = reason.value.trim();
    const body = { decision, digest: item.digest, ...(text === "" ? {} : { reason: text }) };
    await settle(
      () => api("POST", `cases/${item.ref}/decision`, body),
      approving ? "Your approval is recorded." : "Your rejection is recorded.",
      context,
    );
  }

  panel.className = "card decide confirming";
  panel.replaceChildren(form);
  lock([confirm]);
  reason.focus();
}

const RESOLUTIONS = [
  ["SUCCEEDED", "It ran."],
  ["FAILED", "It did not run, or it failed. Do not run it again."],
  ["RUN_AGAIN", "It did not run. Run it again now, exactly as approved. If you are wrong, it runs twice."],
];

/** For a run whose outcome nobody knows: what a person found out, and how they know. */
function settlement(panel, detail, context) {
  const evidence = h("textarea", { id: "evidence", rows: 3, maxlength: MAX_REASON, required: true });
  const record = h("button", { type: "submit", class: "choice" }, "Record what happened");
  const choices = RESOLUTIONS.map(([value, text]) =>
    h(
      "label",
      { class: "option" },
      h("input", { type: "radio", name: "resolution", value, required: true }),
      text,
    ),
  );
  const form = h(
    "form",
    { onsubmit: (event) => void submit(event) },
    h("h2", {}, "What happened?"),
    h("p", { class: "quiet" }, "Find out at the upstream first. Your word ends the case, in your name."),
    h("fieldset", { "aria-label": "What happened?" }, choices),
    h("label", { for: "evidence" }, "How do you know? (the agent reads it)"),
    evidence,
    h("div", { class: "choices" }, record),
  );
  async function submit(event) {
    event.preventDefault();
    record.disabled = true;
    const body = {
      resolution: new FormData(form).get("resolution"),
      evidence: evidence.value.trim(),
      digest: detail.case.digest,
    };
    await settle(
      () => api("POST", `cases/${detail.case.ref}/resolution`, body),
      "What you found out is recorded.",
      context,
    );
  }
  panel.append(form);
  lock([record]);
}

function takeOver(detail, context) {
  const { ref, taken_by: by, taken_until: until } = detail.case;
  const button = h("button", { type: "button", class: "choice", onclick: () => void take() }, "Take over");
  async function take() {
    button.disabled = true;
    await settle(
      () => api("POST", `cases/${ref}/take`, { take_over: true }),
      "The case is yours now.",
      context,
    );
  }
  lock([button]);
  return [
    h("p", {}, h("b", {}, nameOf(by)), " works on it until ", timeOf(until), "."),
    h("div", { class: "choices" }, button),
  ];
}

function withdrawal(panel, detail, context) {
  const button = h("button", { type: "button", class: "choice", onclick: () => void withdraw() }, "Withdraw");
  async function withdraw() {
    button.disabled = true;
    await settle(
      () => api("POST", `cases/${detail.case.ref}/withdraw`),
      "The request is withdrawn. It did not run.",
      context,
    );
  }
  const sentence =
    detail.case.state === "AUTHORIZED"
      ? "It has not been sent yet. You can still take it back."
      : "You can end this case without a decision.";
  panel.append(h("h2", {}, "Withdraw"), h("p", {}, sentence), h("div", { class: "choices" }, button));
  lock([button]);
}

async function settle(send, success, { onDone }) {
  try {
    await send();
    onDone({ tone: "good", text: success });
  } catch (error) {
    const meanwhile =
      error instanceof Refused && error.status === 409
        ? "Nothing was recorded: the case changed meanwhile. "
        : "";
    onDone({
      tone: "bad",
      text: meanwhile + error.message,
      signedOut: error instanceof Refused && error.status === 401,
    });
  }
}
