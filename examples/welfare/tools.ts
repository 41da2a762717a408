import { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { type Beneficiary, MODIFIABLE_FIELDS, type WelfareDatabase } from "./database.ts";

const beneficiaryId = z.string().min(1).describe("Beneficiary, e.g. BEN-123");

const paymentStatus = z.object({
  beneficiary_id: z.string(),
  name: z.string(),
  benefit: z.string(),
  status: z.string(),
  monthly_amount: z.number().describe("Euro a month"),
  payment_end_date: z.string().describe("Day of the last payment, YYYY-MM-DD"),
  payment_extensions: z.number().int().describe("Payment extensions granted so far"),
  document_deadline: z.string().describe("Day by which documents must have arrived, YYYY-MM-DD"),
  document_extensions: z.number().int().describe("Document deadline extensions granted so far"),
  address: z.string(),
  phone: z.string(),
  email: z.string(),
});

interface ToolAnswer {
  [key: string]: unknown;
  content: { type: "text"; text: string }[];
  isError?: boolean;
}

/** The welfare office's tools over its records. */
export function createWelfareServer(database: WelfareDatabase): McpServer {
  const server = new McpServer({ name: "welfare-office", version: "1.0.0" });
  registerStatus(server, database);
  registerExtensions(server, database);
  registerModify(server, database);
  return server;
}

function registerStatus(server: McpServer, database: WelfareDatabase): void {
  server.registerTool(
    "check_payment_status",
    {
      title: "Check payment status",
      description: "Shows a beneficiary's payments, deadlines and contact data. Changes nothing.",
      inputSchema: z.object({ beneficiary_id: beneficiaryId }),
      outputSchema: paymentStatus,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ beneficiary_id: id }) => {
      const found = database.find(id);
      if (found === null) return unknownBeneficiary(id);
      const status = statusOf(found);
      return { content: [{ type: "text", text: JSON.stringify(status) }], structuredContent: status };
    },
  );
}

function registerExtensions(server: McpServer, database: WelfareDatabase): void {
  server.registerTool(
    "request_extension",
    {
      title: "Extend a document deadline",
      description: "Gives a beneficiary more days to hand in documents. Payments do not change.",
      inputSchema: z.object({
        case_id: z.string().optional().describe("File number of the office"),
        beneficiary_id: beneficiaryId,
        days: z.number().int().min(1).max(90),
        reason: z.string().min(1),
        document_reference: z.string().optional().describe("The document that is awaited"),
      }),
      annotations: {
        readOnlyHint: false,
        destructiveHint: false,
        idempotentHint: false,
        openWorldHint: false,
      },
    },
    ({ case_id: caseId, beneficiary_id: id, days, reason, document_reference: documentReference }) => {
      const now = database.extend({
        kind: "document",
        beneficiaryId: id,
        days,
        reason,
        caseId,
        documentReference,
      });
      return now === null
        ? unknownBeneficiary(id)
        : say(`Documents of ${id} are now due on ${now.documentDeadline}.`);
    },
  );
  server.registerTool(
    "request_payment_extension",
    {
      title: "Extend payments",
      description: "Extends the period in which a beneficiary is paid. Public money is spent.",
      inputSchema: z.object({
        beneficiary_id: beneficiaryId,
        reason: z.string().min(1),
        days: z.number().int().min(1).max(365).optional().describe("30 when left out"),
      }),
      annotations: {
        readOnlyHint: false,
        destructiveHint: true,
        idempotentHint: false,
        openWorldHint: false,
      },
    },
    ({ beneficiary_id: id, reason, days = 30 }) => {
      const now = database.extend({ kind: "payment", beneficiaryId: id, days, reason });
      return now === null
        ? unknownBeneficiary(id)
        : say(`Payments to ${id} now end on ${now.paymentEndDate}.`);
    },
  );
}

function registerModify(server: McpServer, database: WelfareDatabase): void {
  server.registerTool(
    "modify_welfare_record",
    {
      title: "Modify a record",
      description: `Changes one field of a beneficiary's record: ${MODIFIABLE_FIELDS.join(", ")}.`,
      inputSchema: z.object({
        beneficiary_id: beneficiaryId,
        field: z.enum(MODIFIABLE_FIELDS),
        value: z.string(),
        justification: z.string().min(1),
      }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
    ({ beneficiary_id: id, field, value, justification }) => {
      if (field === "monthly_amount" && !/^\d{1,5}(\.\d{1,2})?$/.test(value)) {
        return failure(`"${value}" is not an amount in euro. Nothing was changed.`);
      }
      const now = database.modify({ id, field, value, justification });
      return now === null ? unknownBeneficiary(id) : say(`${field} of ${id} is now "${value}".`);
    },
  );
}

function statusOf(found: Beneficiary): z.infer<typeof paymentStatus> {
  return {
    beneficiary_id: found.id,
    name: found.name,
    benefit: found.benefit,
    status: found.status,
    monthly_amount: found.monthlyAmount,
    payment_end_date: found.paymentEndDate,
    payment_extensions: found.paymentExtensions,
    document_deadline: found.documentDeadline,
    document_extensions: found.documentExtensions,
    address: found.address,
    phone: found.phone,
    email: found.email,
  };
}

function say(text: string): ToolAnswer {
  return { content: [{ type: "text", text }] };
}

function failure(text: string): ToolAnswer {
  return { ...say(text), isError: true };
}

function unknownBeneficiary(id: string): ToolAnswer {
  return failure(`There is no beneficiary ${id}. Nothing was changed.`);
}
