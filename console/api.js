/** What the gateway refused, with its code and the state that stands. */
export class Refused extends Error {
  constructor(status, error) {
    super(error?.message ?? `The gateway answered with status ${status}.`);
    this.status = status;
    this.code = error?.code ?? "";
    this.state = error?.state;
  }
}

/** Gateway's clock minus the browser's: deadlines are counted by the gateway's. */
let skewMs = 0;

export function gatewayNow() {
  return Date.now() + skewMs;
}

/** One request to the API. Throws {@link Refused}, or a plain error when the gateway cannot be reached. */
export async function api(method, path, body) {
  const headers = { accept: "application/json", "x-atlas-csrf": "1" };
  if (body !== undefined) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(`../api/v1/${path}`, {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Error(
      "The gateway cannot be reached. Nothing was sent, or its answer was lost: look again before you repeat it.",
    );
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Refused(response.status, answer?.error);
  if (answer?.now !== undefined) skewMs = Date.parse(answer.now) - Date.now();
  return answer;
}

/**
 * Follows live changes; the browser reconnects by itself, and after a refusal this does.
 * `onState` hears whether the page is up to date.
 */
export function follow({ onChange, onStopped, onState }) {
  let source;
  let retry;
  const open = () => {
    source = new EventSource("../api/v1/events");
    source.addEventListener("open", () => {
      onState(true);
      onChange();
      onStopped();
    });
    source.addEventListener("case", (event) => onChange(JSON.parse(event.data)));
    source.addEventListener("kill_switches", onStopped);
    source.addEventListener("error", () => {
      onState(false);
      if (source.readyState !== EventSource.CLOSED) return;
      clearTimeout(retry);
      retry = setTimeout(open, 5000);
      onChange();
    });
  };
  open();
  return () => {
    clearTimeout(retry);
    source.close();
  };
}
