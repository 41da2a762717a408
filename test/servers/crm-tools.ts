import type { JsonObject } from "./counting-tools.ts";

const text = { type: "string" };
const number = { type: "number" };

function tool(name: string, description: string, properties: JsonObject = {}): JsonObject {
  return { name, description, inputSchema: { type: "object", properties } };
}

/** Twenty-eight tools of a customer system, as a server of that size lists them; without any annotation. */
export const CRM_TOOLS: readonly JsonObject[] = [
  tool("get_account", "Shows one account.", { account: text }),
  tool("list_accounts", "Lists accounts.", { page: number }),
  tool("search_accounts", "Searches accounts by name.", { query: text }),
  tool("get_contact", "Shows one contact.", { contact: text }),
  tool("list_contacts", "Lists contacts of an account.", { account: text }),
  tool("get_ticket", "Shows one ticket.", { ticket: text }),
  tool("list_tickets", "Lists tickets.", { status: text }),
  tool("get_order", "Shows one order.", { order: text }),
  tool("list_orders", "Lists orders.", { account: text }),
  tool("order_status", "Shows how far an order is.", { order: text }),
  tool("get_calendar", "Shows the calendar of a day.", { day: text }),
  tool("count_tickets", "Counts tickets.", { status: text }),
  tool("add_note", "Adds a note to an account.", { account: text, note: text }),
  tool("add_tag", "Adds a tag to an account.", { account: text, tag: text }),
  tool("create_ticket", "Creates a ticket.", { account: text, subject: text }),
  tool("update_ticket", "Changes a ticket.", { ticket: text, status: text }),
  tool("update_contact", "Changes a contact.", { contact: text, phone: text }),
  tool("merge_accounts", "Merges two accounts into one.", { from: text, into: text }),
  tool("delete_contact", "Deletes a contact.", { contact: text }),
  tool("delete_document", "Deletes a document.", { document: text }),
  tool("send_email", "Sends an e-mail to a contact.", { to: text, body: text }),
  tool("send_invoice", "Sends an invoice.", { order: text }),
  tool("refund_order", "Pays an order back.", { order: text, amount: number }),
  tool("set_discount", "Changes the discount of an account.", { account: text, percent: number }),
  tool("create_user", "Creates a user of the system.", { name: text, role: text }),
  tool("reset_password", "Resets the password of a user.", { user: text }),
  tool("run_report", "Runs a report by its SQL.", { sql: text }),
  tool("frobnicate", "Frobnicates.", { thing: text }),
];
