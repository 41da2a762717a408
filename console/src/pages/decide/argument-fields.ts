import { parseJsonText } from "../../text/json-text.ts";
import { memberOf, textOrNull } from "./friction.ts";

/** One argument, as the tool's schema and the call know it. */
export interface ArgumentFieldInfo {
  readonly name: string;
  /** The tool's own words. */
  readonly description: string | null;
  readonly kind: "text" | "number" | "boolean" | "choice" | "json";
  /** JSON texts of what can be chosen. */
  readonly choices: readonly string[];
  readonly isRequired: boolean;
  /** As it stands in the text; null when it is not there. */
  readonly piece: string | null;
}

/** The members of the schema in its order, then what the call has besides. */
export function fieldsOf(definitionText: string | null, argumentsText: string): readonly ArgumentFieldInfo[] {
  const schema = memberOf(definitionText === null ? null : JSON.parse(definitionText), "inputSchema");
  const properties = memberOf(schema, "properties");
  const required = memberOf(schema, "required");
  const root = parseJsonText(argumentsText);
  const given = new Map(
    root?.members.map(({ name, value }) => [name, argumentsText.slice(value.start, value.end)]),
  );
  const named = typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
  return [...new Set([...named, ...given.keys()])].map((name) => {
    const of = memberOf(properties, name);
    const piece = given.get(name) ?? null;
    const choices = choicesOf(of);
    return {
      name,
      description: textOrNull(memberOf(of, "description")),
      kind: choices.length > 0 ? "choice" : kindOf(memberOf(of, "type"), piece),
      choices,
      isRequired: Array.isArray(required) && required.includes(name),
      piece,
    };
  });
}

function choicesOf(schema: unknown): readonly string[] {
  const listed = memberOf(schema, "enum");
  return Array.isArray(listed) ? listed.map((value) => JSON.stringify(value)) : [];
}

/** What the call has counts for more than what the schema says: a field that cannot show it would change it. */
function kindOf(type: unknown, piece: string | null): ArgumentFieldInfo["kind"] {
  if (piece !== null) {
    if (piece.startsWith('"')) return "text";
    if (/^[-\d]/.test(piece)) return "number";
    return piece === "true" || piece === "false" ? "boolean" : "json";
  }
  if (type === "string") return "text";
  if (type === "number" || type === "integer") return "number";
  return type === "boolean" ? "boolean" : "json";
}
