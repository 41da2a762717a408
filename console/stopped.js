import { api } from "./api.js";
import { h, nameOf, timeOf, visible } from "./dom.js";

/** Says on every page what a kill switch stops; a look that fails leaves what was said. */
export async function showStopped() {
  const list = await api("GET", "kill-switches").catch(() => null);
  if (list === null) return;
  const place = document.getElementById("stopped");
  place.replaceChildren(...list.kill_switches.map(sentence));
  place.hidden = list.kill_switches.length === 0;
}

export function hideStopped() {
  const place = document.getElementById("stopped");
  place.replaceChildren();
  place.hidden = true;
}

function sentence({ scope, target, engaged_by: by, engaged_at: at, reason }) {
  return h(
    "span",
    { class: "stopped" },
    h("b", {}, "Stopped: ", scope === "all" ? "everything" : [`${scope} `, nameOf(target)]),
    " by ",
    by === null ? "the operator" : nameOf(by),
    " at ",
    timeOf(at),
    ". ",
    visible(reason),
    " ",
  );
}
