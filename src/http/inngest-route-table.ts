import type { RouteEntry } from "./route-entry.ts";

const PATH = "/api/inngest";
const REFUSED = { status: 401, description: "The request is not signed by the Inngest server." };

/** Only there with `engine: inngest`. The bodies are those of Inngest's protocol. */
export const INNGEST_ROUTES: readonly RouteEntry[] = [
  {
    method: "get",
    path: PATH,
    who: "anyone",
    summary: "What is served to Inngest, for Inngest.",
    answers: [{ status: 200, description: "What is served.", mediaType: "application/json" }, REFUSED],
    refusals: ["resource.not_found"],
  },
  {
    method: "post",
    path: PATH,
    who: "anyone",
    summary: "Inngest runs a step of the governance workflow.",
    answers: [
      { status: 200, description: "The run is over.", mediaType: "application/json" },
      { status: 206, description: "What the run did, or does next.", mediaType: "application/json" },
      REFUSED,
    ],
    refusals: ["resource.not_found"],
  },
  {
    method: "put",
    path: PATH,
    who: "anyone",
    summary: "The gateway tells the Inngest server where it is. Changes nothing here, and is rate-limited.",
    answers: [{ status: 200, description: "It was told.", mediaType: "application/json" }],
    refusals: ["resource.not_found"],
    throttled: true,
  },
];
