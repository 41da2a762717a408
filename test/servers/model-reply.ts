/** What a stand-in for a model does with one question. */
export type Reply =
  /** Answers with this text of the model. */
  | { readonly kind: "text"; readonly text: string }
  /** Answers with a value that is no text, as a function can. */
  | { readonly kind: "value"; readonly value: unknown }
  /** Refuses, as servers do when they are overloaded, broken or out of quota. */
  | { readonly kind: "status"; readonly status: number }
  /** Answers with a page instead of what was asked for. */
  | { readonly kind: "html" }
  /** Breaks off in the middle of its answer. */
  | { readonly kind: "half" }
  /** Sends a byte now and then and never comes to an end. */
  | { readonly kind: "drip" }
  /** Answers when the test lets it. */
  | { readonly kind: "late"; readonly until: Promise<void>; readonly text: string }
  /** Takes the question and says nothing. */
  | { readonly kind: "never" };

export const says = (text: string): Reply => ({ kind: "text", text });

/** An answer in the form that the gateway asks for. */
export const scores = (score: number, rationale = "Because."): Reply =>
  says(JSON.stringify({ risk_score: score, rationale }));

/** A model that knows these tools' scores, and that deleting everything is bad; 50 for what it does not know. */
export function knows(scoresByTool: Readonly<Record<string, number>>): (prompt: string) => Reply {
  const known = { delete_all_beneficiary_records: 99, ...scoresByTool };
  return (prompt) => {
    const tool = Object.keys(known).find((name) => prompt.includes(`"tool":"${name}"`));
    return scores(tool === undefined ? 50 : (known[tool as keyof typeof known] ?? 50));
  };
}

/** Every way of not answering, by name: each of them must come to a score of 100. */
export const BAD_REPLIES: Readonly<Record<string, Reply>> = {
  "prose around the object": says(
    'Sure! Here it is: {"risk_score": 3, "rationale": "fine"} Have a nice day.',
  ),
  "prose only": says("This call looks harmless to me."),
  "two objects": says('{"risk_score": 3, "rationale": "a"}\n{"risk_score": 90, "rationale": "b"}'),
  "an array": says('[{"risk_score": 3, "rationale": "a"}]'),
  "two scores in one object": says('{"risk_score": 90, "risk_score": 3, "rationale": "a"}'),
  "a score behind __proto__": says('{"__proto__": {"risk_score": 3}, "rationale": "a"}'),
  NaN: says('{"risk_score": NaN, "rationale": "a"}'),
  "1e9": says('{"risk_score": 1e9, "rationale": "a"}'),
  "-5": says('{"risk_score": -5, "rationale": "a"}'),
  "a fraction": says('{"risk_score": 12.5, "rationale": "a"}'),
  'the text "82"': says('{"risk_score": "82", "rationale": "a"}'),
  null: says('{"risk_score": null, "rationale": "a"}'),
  "a bare number": says("12"),
  "another key": says('{"risk_score": 3, "rationale": "a", "approved_by": "root"}'),
  "no rationale": says('{"risk_score": 3}'),
  "a class that contradicts the score": says(
    '{"risk_score": 3, "classification": "CRITICAL", "rationale": "a"}',
  ),
  "an action that contradicts the score": says('{"risk_score": 3, "action": "PAUSE", "rationale": "a"}'),
  nothing: says(""),
  "half an object": says('{"risk_score": 3, "ratio'),
  HTML: { kind: "html" },
  "429": { kind: "status", status: 429 },
  "500": { kind: "status", status: 500 },
  "a broken connection": { kind: "half" },
  "a drip": { kind: "drip" },
  silence: { kind: "never" },
};
