import { api, follow, Refused } from "./api.js";
import {
  argumentsCard,
  countdown,
  outcome,
  recordCard,
  refreshCountdowns,
  riskBadge,
  riskCard,
  stateBadge,
  toolCard,
  whatHappens,
} from "./case-view.js";
import { decisionPanel } from "./decision-panel.js";
import { h, nameOf, timeOf, visible } from "./dom.js";
import { hideStopped, showStopped } from "./stopped.js";

const WAITING = ["AWAITING_REVIEW", "UNKNOWN"];
const DECIDED = [
  "AUTHORIZED",
  "EXECUTING",
  "SUCCEEDED",
  "FAILED",
  "REJECTED",
  "EXPIRED",
  "CANCELLED",
  "UNKNOWN",
];

const main = document.getElementById("main");
const banner = document.getElementById("banner");

/** Said on every page while one person may decide on their own agents. */
const SINGLE_OPERATOR =
  "Single-operator mode: people may decide on calls of their own agents; such decisions are marked in the record.";

/** Said on every page while the gateway lets through what it would hold. */
const NOT_ENFORCING = {
  observe:
    "Observe mode: this gateway holds nothing. Every call runs; what would have been held is only recorded.",
  partly_observe:
    "Partly in observe mode: some upstreams or rules hold nothing; their calls run and are only recorded.",
};

/** The person signed in, and what is on the screen; `shown` is the case as the person sees it. */
let session = null;
let shown = null;
let stopFollowing = null;
/** Cases that wait for a decision, most urgent first, as last read; null before that. */
let waitingCases = null;
/** What the list shows, so that a look that changes nothing does not take it from under the pointer. */
let listShown = "";
/** Raised by each navigation: an answer to an older one is dropped. */
let turn = 0;

function say(text, tone = "info") {
  banner.textContent = text;
  banner.className = `banner ${tone}`;
  banner.hidden = text === "";
}

function route() {
  const match = /^#\/cases\/(evt_[a-z2-7]+)$/.exec(location.hash);
  return { tab: location.hash.startsWith("#/decided") ? "decided" : "waiting", ref: match?.[1] ?? null };
}

async function start() {
  try {
    session = await api("GET", "session");
    enter();
  } catch (error) {
    if (error instanceof Refused && error.status === 401) showSignIn();
    else say(error.message, "bad");
  }
}

function showSignIn(message = "") {
  session = null;
  shown = null;
  turn += 1;
  stopFollowing?.();
  stopFollowing = null;
  hideStopped();
  waitingCases = null;
  listShown = "";
  document.title = "ATLAS Governance Console";
  document.body.classList.remove("on-case");
  document.getElementById("who").replaceChildren();
  document.getElementById("live").textContent = "";
  main.replaceChildren(signInForm());
  say(message, "info");
  document.getElementById("account").focus();
}

function signInForm() {
  const field = (id, attributes) => h("input", { id, name: id, spellcheck: "false", ...attributes });
  const account = field("account", { autocomplete: "username", autocapitalize: "none" });
  const password = field("password", { type: "password", autocomplete: "current-password" });
  const token = field("token", { type: "password", autocomplete: "off" });
  const button = h("button", { type: "submit", class: "choice" }, "Sign in");
  async function signIn(event) {
    event.preventDefault();
    const withToken = token.value.trim() !== "";
    const asked = withToken
      ? { token: token.value.trim() }
      : { account: account.value.trim(), password: password.value };
    button.disabled = true;
    try {
      session = await api("POST", "session", asked);
      say("");
      enter();
    } catch (error) {
      say(error.message, "bad");
      button.disabled = false;
      (withToken ? token : password).select();
    }
  }
  return h(
    "form",
    { class: "card sign-in", onsubmit: (event) => void signIn(event) },
    h("h1", {}, "Sign in"),
    h("label", { for: "account" }, "Account"),
    account,
    h("label", { for: "password" }, "Password"),
    password,
    h(
      "p",
      { class: "quiet" },
      "Or with your personal token (atlas_person_…). An agent's credential does not open this page.",
    ),
    h("label", { for: "token" }, "Token"),
    token,
    button,
  );
}

function enter() {
  const leaving = (words, path, said) =>
    h("button", { type: "button", class: "small", onclick: () => void leave(path, said) }, words);
  const { id, roles } = session.person;
  document
    .getElementById("who")
    .replaceChildren(
      h("span", { class: "name", title: roles.join(", ") }, visible(id)),
      leaving("Sign out", "session", "You are signed out."),
      leaving("Sign out everywhere", "session?everywhere=true", "You are signed out of every browser."),
    );
  const notes = [NOT_ENFORCING[session.mode], session.single_operator ? SINGLE_OPERATOR : undefined];
  main.replaceChildren(
    ...notes
      .filter((note) => note !== undefined)
      .map((note) => h("p", { class: "observing", role: "status" }, note)),
    h(
      "div",
      { class: "panes" },
      h("nav", { id: "queue", class: "queue", "aria-label": "Cases" }),
      h("article", { id: "case", class: "case" }),
    ),
  );
  stopFollowing = follow({ onChange: refreshSoon, onStopped: () => void showStopped(), onState: showLive });
  navigate();
}

async function leave(path, said) {
  try {
    await api("DELETE", path);
    showSignIn(said);
  } catch (error) {
    if (error instanceof Refused && error.status === 401) showSignIn("Your session had ended before.");
    else say("You are still signed in: the gateway could not be reached.", "bad");
  }
}

function showLive(isLive) {
  const live = document.getElementById("live");
  live.textContent = isLive ? "live" : "reconnecting…";
  live.classList.toggle("off", !isLive);
}

let refreshing;
/** Several changes in a row are one look. */
function refreshSoon() {
  clearTimeout(refreshing);
  refreshing = setTimeout(() => void refresh(), 80);
}

async function refresh() {
  if (session === null) return;
  const asking = session;
  try {
    await Promise.all([showQueue(), showCase()]);
    showNext();
  } catch (error) {
    // What an earlier session was refused says nothing of this one.
    if (asking !== session) return;
    if (error instanceof Refused && error.status === 401)
      showSignIn("Your session has ended. Sign in again.");
    else say(error.message, "bad");
  }
}

let tab = "waiting";

function navigate() {
  const { ref } = route();
  if (ref === null) tab = route().tab;
  shown = null;
  turn += 1;
  say("");
  document.body.classList.toggle("on-case", ref !== null);
  document
    .getElementById("case")
    ?.replaceChildren(
      ref === null ? h("p", { class: "empty", id: "hint" }) : h("p", { class: "empty" }, "Loading…"),
    );
  void refresh();
}

function byDeadline(a, b) {
  const group = (item) => (item.state === "UNKNOWN" ? 1 : 0);
  return (
    group(a) - group(b) ||
    (a.review_by ?? "").localeCompare(b.review_by ?? "") ||
    (b.risk_score ?? 0) - (a.risk_score ?? 0)
  );
}

async function showQueue() {
  const states = tab === "waiting" ? WAITING : DECIDED;
  const wanted = tab;
  // What never came to a human is not a decision; it would bury those that did.
  const order = tab === "waiting" ? "order=deadline" : "reviewed=true";
  const list = await api("GET", `cases?state=${states.join(",")}&${order}&limit=500`);
  const queue = document.getElementById("queue");
  if (queue === null || wanted !== tab) return;
  const waiting = list.counts.AWAITING_REVIEW ?? 0;
  document.title = waiting > 0 ? `(${waiting}) ATLAS Governance Console` : "ATLAS Governance Console";
  const cases = tab === "waiting" ? list.cases.toSorted(byDeadline) : list.cases;
  if (tab === "waiting") waitingCases = cases.filter((item) => item.state === "AWAITING_REVIEW");
  tellWhatToDo(cases.length);
  const showing = JSON.stringify([tab, route().ref, waiting, cases.map((item) => [item.ref, item.revision])]);
  if (showing === listShown) return;
  listShown = showing;
  const focused = document.activeElement?.getAttribute("href");
  const tabs = h(
    "div",
    { class: "tabs" },
    tabLink("waiting", `Waiting (${waiting})`),
    tabLink("decided", "Decided"),
  );
  const unknown = tab === "waiting" ? cases.filter((item) => item.state === "UNKNOWN") : [];
  const others = cases.slice(0, cases.length - unknown.length);
  queue.replaceChildren(
    tabs,
    others.length === 0 ? emptyQueue() : h("ul", {}, others.map(queueRow)),
    ...(unknown.length === 0
      ? []
      : [
          h("h2", { class: "group" }, `Outcome unknown (${unknown.length})`),
          h("p", { class: "quiet" }, "Perhaps they ran. Find out at the upstream."),
          h("ul", {}, unknown.map(queueRow)),
        ]),
  );
  if (focused) queue.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  refreshCountdowns(queue);
}

function tellWhatToDo(count) {
  const hint = document.getElementById("hint");
  if (hint === null) return;
  if (count > 0) hint.textContent = "Choose a case to see exactly what would run.";
  else hint.textContent = "Leave this page open: it follows the gateway by itself.";
}

function tabLink(name, label) {
  return h(
    "a",
    {
      href: name === "waiting" ? "#/" : "#/decided",
      class: "tab",
      "aria-current": tab === name ? "page" : null,
    },
    label,
  );
}

function emptyQueue() {
  const text =
    tab === "waiting"
      ? "Nothing waits for a decision. New cases appear here by themselves."
      : "Nobody has decided a case yet.";
  return h("p", { class: "empty" }, text);
}

function queueRow(item) {
  const current = route().ref === item.ref;
  return h(
    "li",
    {},
    h(
      "a",
      { href: `#/cases/${item.ref}`, class: "row", "aria-current": current ? "true" : null },
      h("span", { class: "tool" }, nameOf(item.tool)),
      h("span", { class: "row-sub" }, riskBadge(item), " ", nameOf(item.agent), " → ", nameOf(item.upstream)),
      h(
        "span",
        { class: "row-sub" },
        item.state === "AWAITING_REVIEW"
          ? [countdown(item.review_by), " · asked ", timeOf(item.opened_at)]
          : [stateBadge(item.state), " ", timeOf(item.updated_at)],
      ),
    ),
  );
}

/** Draws the open case again only when it changed: what the person is typing must survive news of other cases. */
async function showCase() {
  const { ref } = route();
  if (ref === null) return;
  const asked = turn;
  const detail = await api("GET", `cases/${ref}`).catch((error) => {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  });
  if (asked !== turn) return;
  const view = document.getElementById("case");
  if (detail === null) {
    view.replaceChildren(backLink(), h("p", { class: "empty" }, "There is no such case."));
    return;
  }
  // An answer that was overtaken by a later one is older than what is shown.
  if (shown !== null && detail.case.revision <= shown.case.revision) return;
  tellWhatChanged(shown, detail);
  const isFirst = shown === null;
  shown = detail;
  drawCase(view, detail);
  if (!isFirst) return;
  view.querySelector("h1")?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function tellWhatChanged(before, after) {
  if (before === null || before.case.state !== "AWAITING_REVIEW") return;
  const { state, decided_by: by, digest } = after.case;
  if (state === "AWAITING_REVIEW" && digest !== before.case.digest)
    say("This case changed. Look at it again before you decide.", "warn");
  else if (by === session.person.id) say("You decided this case in another window.", "warn");
  else if (by !== null) say(`${by} decided this case meanwhile.`, "warn");
  else if (state === "EXPIRED") say("The deadline passed; this case has expired.", "warn");
  else if (state === "CANCELLED") say("The request was withdrawn meanwhile.", "warn");
}

function drawCase(view, detail) {
  const item = detail.case;
  view.replaceChildren(
    ...[
      backLink(),
      h("h1", { tabindex: -1 }, nameOf(item.tool)),
      h(
        "p",
        { class: "head" },
        stateBadge(item.state),
        riskBadge(item),
        item.state === "AWAITING_REVIEW" ? countdown(item.review_by) : null,
      ),
      item.state === "AWAITING_REVIEW"
        ? h(
            "p",
            { class: "quiet" },
            "If nobody decides in time, the case expires: the call does not run, and the agent is told.",
          )
        : null,
      whatHappens(item, countArguments(detail.arguments)),
      outcome(detail),
      item.state === "AWAITING_REVIEW" ? null : h("p", { id: "next", class: "next", hidden: true }),
      argumentsCard(detail),
      riskCard(detail),
      toolCard(detail),
      decisionPanel(detail, {
        onDone,
        singleOperator: session.single_operator,
      }),
      recordCard(detail),
    ].filter((part) => part !== null),
  );
  refreshCountdowns(view);
}

/** The way on from a case that no longer waits; nobody is taken there unasked. */
function showNext() {
  const place = document.getElementById("next");
  if (place === null || tab !== "waiting") return;
  const next = waitingCases.find(({ ref }) => ref !== shown?.case.ref);
  if (!place.hidden && place.dataset.next === (next?.ref ?? "")) return;
  place.hidden = false;
  place.dataset.next = next?.ref ?? "";
  if (next === undefined) {
    place.replaceChildren("Nothing else waits for a decision.");
    return;
  }
  place.replaceChildren(
    h("a", { href: `#/cases/${next.ref}` }, "Next case: ", nameOf(next.tool), " →"),
    riskBadge(next),
    countdown(next.review_by),
  );
  refreshCountdowns(place);
}

function backLink() {
  return h("a", { href: tab === "decided" ? "#/decided" : "#/", class: "back" }, "← All cases");
}

function countArguments(text) {
  try {
    return text === null ? null : Object.keys(JSON.parse(text)).length;
  } catch {
    return null; // The text is shown as it is, whatever it is.
  }
}

function onDone({ text, tone, signedOut }) {
  if (signedOut) {
    showSignIn(text);
    return;
  }
  // Drawn anew even if nothing changed, so that the buttons come back.
  shown = null;
  void refresh().then(() => say(text, tone));
}

addEventListener("hashchange", () => {
  if (session !== null) navigate();
});
setInterval(() => refreshCountdowns(document), 1000);
void start();
