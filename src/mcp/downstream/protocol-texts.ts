/** How an agent behaves at a gateway; given as server instructions and as the prompt `governance_protocol`. */
export const GOVERNANCE_PROTOCOL = `Calls to these tools pass through a governance gateway.

1. Most calls are answered at once. A call that needs a human is answered with
   "PENDING REVIEW (Ref: evt_…)". It is neither a success nor an error: the call is kept and has not run.
2. Do not send the same call again while it is pending; it would only join the same reference.
   Tell your user that a human has to decide, and give the reference.
3. Go on with other work. Ask check_status with the reference for the decision and, once the call ran, for
   the tool's own result. Without a reference it lists your open and newly ended cases.
4. A rejected or denied call must not be tried again in another way. Tell your user the reason you were given.
5. If you are told that the outcome is unknown, do not repeat the call: it may have run. A human will find out.
6. If the call is no longer wanted, use withdraw_request.`;

export const PROMPT = {
  name: "governance_protocol",
  title: "Governance protocol",
  description: "How to work with tools whose calls may need a human's approval.",
} as const;
