import { DatabaseSync } from "node:sqlite";

/** Fields of a record that `modify_welfare_record` may change. */
export const MODIFIABLE_FIELDS = ["address", "phone", "email", "status", "monthly_amount"] as const;
export type ModifiableField = (typeof MODIFIABLE_FIELDS)[number];

export interface Beneficiary {
  readonly id: string;
  readonly name: string;
  readonly benefit: string;
  readonly status: string;
  /** Euro a month. */
  readonly monthlyAmount: number;
  /** Day of the last payment, YYYY-MM-DD. */
  readonly paymentEndDate: string;
  /** Day by which documents must have arrived, YYYY-MM-DD. */
  readonly documentDeadline: string;
  readonly address: string;
  readonly phone: string;
  readonly email: string;
  readonly paymentExtensions: number;
  readonly documentExtensions: number;
}

export interface ExtensionParams {
  readonly kind: "payment" | "document";
  readonly beneficiaryId: string;
  readonly days: number;
  readonly reason: string;
  readonly caseId?: string | undefined;
  readonly documentReference?: string | undefined;
}

/** The office's records. Every change is one transaction with its entry in the history. */
export interface WelfareDatabase {
  find(id: string): Beneficiary | null;
  /** Moves the end of payments or the document deadline. Null when there is no such beneficiary. */
  extend(params: ExtensionParams): Beneficiary | null;
  modify(params: {
    readonly id: string;
    readonly field: ModifiableField;
    readonly value: string;
    readonly justification: string;
  }): Beneficiary | null;
  close(): void;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS beneficiaries (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, benefit TEXT NOT NULL, status TEXT NOT NULL,
    monthly_amount REAL NOT NULL, payment_end_date TEXT NOT NULL, document_deadline TEXT NOT NULL,
    address TEXT NOT NULL, phone TEXT NOT NULL, email TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS extensions (
    id INTEGER PRIMARY KEY, beneficiary_id TEXT NOT NULL REFERENCES beneficiaries (id), kind TEXT NOT NULL,
    days INTEGER NOT NULL, new_date TEXT NOT NULL, reason TEXT NOT NULL, case_id TEXT,
    document_reference TEXT, granted_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS record_changes (
    id INTEGER PRIMARY KEY, beneficiary_id TEXT NOT NULL REFERENCES beneficiaries (id), field TEXT NOT NULL,
    old_value TEXT NOT NULL, new_value TEXT NOT NULL, justification TEXT NOT NULL, changed_at TEXT NOT NULL
  ) STRICT;`;

/** Fictional people. */
const PEOPLE: readonly (readonly [string, string, string, string, number, string, string])[] = [
  ["BEN-101", "Amelia Ortiz", "housing", "active", 640, "2027-01-31", "2026-12-15"],
  ["BEN-104", "Bao Nguyen", "disability", "active", 980, "2027-06-30", "2027-01-10"],
  ["BEN-107", "Chiara Rossi", "child", "active", 255, "2027-03-31", "2026-12-31"],
  ["BEN-110", "Dmitri Volkov", "unemployment", "suspended", 720, "2026-12-31", "2026-11-30"],
  ["BEN-112", "Esi Mensah", "housing", "active", 590, "2027-02-28", "2027-01-05"],
  ["BEN-115", "Farid Haddad", "disability", "active", 1015, "2027-08-31", "2027-02-01"],
  ["BEN-118", "Greta Lindholm", "child", "active", 310, "2027-05-31", "2026-12-20"],
  ["BEN-120", "Hugo Almeida", "unemployment", "active", 705, "2026-12-31", "2026-12-10"],
  ["BEN-123", "Ines Marchetti", "housing", "active", 615, "2026-12-31", "2026-12-01"],
  ["BEN-126", "Jun Takahashi", "disability", "active", 940, "2027-04-30", "2027-01-20"],
  ["BEN-129", "Katarzyna Nowak", "child", "closed", 0, "2026-06-30", "2026-05-31"],
  ["BEN-132", "Liam O'Connor", "unemployment", "active", 690, "2027-01-31", "2026-12-05"],
];

/** Opens the records, creating and filling the file on its first use. Several servers may share one file. */
export function openWelfareDatabase(path: string): WelfareDatabase {
  const db = new DatabaseSync(path);
  db.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;");
  transaction(db, () => {
    db.exec(SCHEMA);
    if (db.prepare("SELECT 1 FROM beneficiaries LIMIT 1").get() === undefined) seed(db);
  });
  const changed = (id: string, change: (before: Beneficiary) => void): Beneficiary | null =>
    transaction(db, () => {
      const before = find(db, id);
      if (before === null) return null;
      change(before);
      return find(db, id);
    });
  return {
    find: (id) => find(db, id),
    extend: (params) => changed(params.beneficiaryId, (before) => extend(db, params, before)),
    modify: ({ id, field, value, justification }) =>
      changed(id, (before) => {
        const old = String(field === "monthly_amount" ? before.monthlyAmount : before[field]);
        // The column name comes from a closed list, never from a caller.
        db.prepare(`UPDATE beneficiaries SET ${field} = ? WHERE id = ?`).run(
          field === "monthly_amount" ? Number(value) : value,
          id,
        );
        db.prepare(
          `INSERT INTO record_changes (beneficiary_id, field, old_value, new_value, justification, changed_at)
           VALUES (?, ?, ?, ?, ?, ?)`,
        ).run(id, field, old, value, justification, new Date().toISOString());
      }),
    close: () => db.close(),
  };
}

function seed(db: DatabaseSync): void {
  const insert = db.prepare("INSERT INTO beneficiaries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const [index, [id, name, benefit, status, amount, end, deadline]] of PEOPLE.entries()) {
    const email = `${name.toLowerCase().replaceAll(/[^a-z]+/g, ".")}@example.org`;
    insert.run(
      id,
      name,
      benefit,
      status,
      amount,
      end,
      deadline,
      `${index + 3} Example Street`,
      `555-01${index + 10}`,
      email,
    );
  }
}

function extend(db: DatabaseSync, params: ExtensionParams, before: Beneficiary): void {
  const column = params.kind === "payment" ? "payment_end_date" : "document_deadline";
  const date = addDays(
    params.kind === "payment" ? before.paymentEndDate : before.documentDeadline,
    params.days,
  );
  db.prepare(`UPDATE beneficiaries SET ${column} = ? WHERE id = ?`).run(date, before.id);
  db.prepare(
    `INSERT INTO extensions (beneficiary_id, kind, days, new_date, reason, case_id, document_reference, granted_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    before.id,
    params.kind,
    params.days,
    date,
    params.reason,
    params.caseId ?? null,
    params.documentReference ?? null,
    new Date().toISOString(),
  );
}

function find(db: DatabaseSync, id: string): Beneficiary | null {
  const row = db
    .prepare(
      `SELECT b.*,
         (SELECT count(*) FROM extensions e WHERE e.beneficiary_id = b.id AND e.kind = 'payment') AS payment_extensions,
         (SELECT count(*) FROM extensions e WHERE e.beneficiary_id = b.id AND e.kind = 'document') AS document_extensions
       FROM beneficiaries b WHERE b.id = ?`,
    )
    .get(id);
  if (row === undefined) return null;
  const text = (column: string): string => String(row[column]);
  return {
    id: text("id"),
    name: text("name"),
    benefit: text("benefit"),
    status: text("status"),
    monthlyAmount: Number(row["monthly_amount"]),
    paymentEndDate: text("payment_end_date"),
    documentDeadline: text("document_deadline"),
    address: text("address"),
    phone: text("phone"),
    email: text("email"),
    paymentExtensions: Number(row["payment_extensions"]),
    documentExtensions: Number(row["document_extensions"]),
  };
}

function addDays(date: string, days: number): string {
  const day = new Date(`${date}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() + days);
  return day.toISOString().slice(0, 10);
}

function transaction<Value>(db: DatabaseSync, body: () => Value): Value {
  db.exec("BEGIN IMMEDIATE");
  try {
    const value = body();
    db.exec("COMMIT");
    return value;
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}
