/**
 * Every reason the gateway gives, with the sentence a person or agent reads. An id never changes
 * its meaning: it is the same in the answer, the log, the metric and the ledger.
 */
export const REASONS = {
  "policy.allowed": "A policy rule allows this call.",
  "policy.denied": "A policy rule denies this call. Do not retry it; tell the user that it is not allowed.",
  "policy.review": "A policy rule sends this call to a human.",
  "policy.no_rule": "No policy rule names this tool, so a human decides.",
  "policy.error": "The policy could not be evaluated, so nothing passes without a human.",
  "policy.tightened":
    "The policy became stricter while the case waited, so the earlier authorization is void.",
  "observe.let_through": "The gateway only observes here, so the call was not held.",
  "risk.assessing": "The risk is still being assessed.",
  "risk.below_threshold": "The risk score is below the threshold.",
  "risk.above_threshold": "The risk score reaches the threshold, so a human decides.",
  "risk.assessor_failed": "The risk could not be assessed, so a human decides.",
  "tool.unknown": "There is no such tool. List the tools again and use a name from the list.",
  "tool.new": "No admin has accepted the tool yet, so a human must look at it.",
  "tool.changed": "The tool's definition changed, so a human must look at it again.",
  "tool.renamed": "The tool is what another was under another name, so a human must look at it.",
  "tool.confusable": "The tool's name can be taken for another's, so a human must look at it.",
  "tool.name_taken": "Another tool has the name already, so the tool cannot be called.",
  "tool.name_hidden": "The tool's name holds characters that are not seen, so the tool cannot be called.",
  "tool.accepted_anew":
    "An admin said something new of the tool after the call was scored, so a human must look at it.",
  "resource.unknown":
    "No upstream lists this resource, and no template matches it. List the resources and templates again.",
  "resource.quarantined":
    "Another upstream began to list this resource while it was somebody else's. An administrator has to say whose it is.",
  "prompt.unknown": "There is no such prompt. List the prompts again and use a name from the list.",
  "prompt.quarantined":
    "Another upstream began to offer a prompt of this name while it was somebody else's. An administrator has to rename one.",
  "read.no_rule":
    "No policy rule names this resource or prompt, so it may not be read. An administrator can add one.",
  "read.needs_review":
    "Policy wants a human or a risk score for this, and reads have neither, so it was refused. An administrator can allow it.",
  "subscription.unsupported":
    "The upstream does not tell of changes of this resource. Read it again when you need it.",
  "subscription.no_stream":
    "A subscription needs a connection that stays open, and this one does not. Use one that does, or read the resource again.",
  "upstream.foreign_uri":
    "The upstream answered with a resource of another upstream, so nothing of it was passed on.",
  "upstream.changed": "The upstream's endpoint or command line changed, so a human must look at it again.",
  "arguments.invalid": "The arguments do not fit the tool's input schema.",
  "arguments.ambiguous": "The request can be read in two ways, so it was refused.",
  "tool.schema_unusable": "The tool's input schema cannot check these arguments, so a human decides.",
  "agent.revoked": "The agent was revoked.",
  "kill_switch.engaged": "An administrator has stopped this kind of call.",
  "review.approved": "A human approved this call.",
  "review.rejected": "A human rejected this call.",
  "review.expired": "Nobody decided before the deadline. Call the tool again to ask anew.",
  "review.edit_invalid": "The edited arguments cannot be taken.",
  "review.edit_denied": "A policy rule denies the call as edited; the case stays as it was.",
  "review.not_open": "This case is not open for a decision.",
  "review.stale_digest":
    "The case changed after it was shown. Look at it again and decide on what it is now.",
  "review.not_entitled": "This person may not decide this case.",
  "review.taken": "Another reviewer has taken this case.",
  "review.undone": "The approval was taken back before the call was sent; it did not run.",
  "run.expired": "The case was approved but could not be run in time. Call the tool again to ask anew.",
  "request.withdrawn": "The request was withdrawn.",
  "case.unknown": "There is no such case.",
  "upstream.answered": "The upstream answered.",
  "upstream.tool_error": "The tool ran and reported an error.",
  "upstream.result_too_large":
    "The call ran, but its answer is larger than the gateway takes, so nobody read it. Do not repeat the call to get it.",
  "upstream.protocol_error": "The upstream refused the request.",
  "upstream.unreachable": "The upstream could not be reached; nothing was sent.",
  "upstream.timeout": "The upstream did not answer before its deadline.",
  "upstream.disconnected": "The connection to the upstream broke before it answered.",
  "upstream.input_required":
    "The upstream asked for input, and nobody can be asked here, as in any run after review.",
  "upstream.input_requested":
    "The upstream asked the client for input; the client may send the call again with it.",
  "request_state.invalid":
    "The call brings input that was not asked of this agent for this call, or too late. Send it again without.",
  "dispatch.late": "The gateway was stopped past the time it had to send the call; nothing was sent.",
  "dispatch.lost": "The gateway died after it may have sent the call.",
  "outcome.not_recorded": "The call ran, but its outcome could not be recorded.",
  "result.expired": "The call ran, but its result was kept for a limited time and has been erased since.",
  "restore.uncertain":
    "The record was restored from a backup, and since the backup this call may have been decided, run or withdrawn. Find out before you decide.",
  "resolution.reported": "A human said what happened.",
  "resolution.run_again": "A human decided to run the call again.",
  "ledger.unavailable": "The call could not be recorded, so it was refused.",
} as const;

export type ReasonId = keyof typeof REASONS;
