import { afterEach, beforeEach, describe } from "vitest";
import { testAccounts } from "./accounts.testsuite.ts";
import { testActions } from "./actions.testsuite.ts";
import { testAssessment } from "./assessment.testsuite.ts";
import { testClaims } from "./claims.testsuite.ts";
import { testCommits } from "./commits.testsuite.ts";
import { testDecisions } from "./decisions.testsuite.ts";
import { testErasure } from "./erasure.testsuite.ts";
import { testFigures } from "./figures.testsuite.ts";
import { type Gateway, openGateway, setUp, type TestDatabase } from "./fixture.testsuite.ts";
import { testGuards } from "./guards.testsuite.ts";
import { testImports } from "./imports.testsuite.ts";
import { testLedger } from "./ledger.testsuite.ts";
import { testLifeOfCases } from "./life-of-cases.testsuite.ts";
import { testLists } from "./lists.testsuite.ts";
import { testOpening } from "./opening.testsuite.ts";
import { testReads } from "./reads.testsuite.ts";
import { testRestoring } from "./restoring.testsuite.ts";
import { testTools } from "./tools.testsuite.ts";

export interface StoreSuiteParams {
  readonly create: () => Promise<TestDatabase>;
}

/** What each part of the suite is run with: a fresh database and one gateway on it. */
export interface Subject {
  readonly database: TestDatabase;
  readonly gateway: Gateway;
}

/** The contract of the `Store` port: what any database must do. */
export function testStore({ create }: StoreSuiteParams): void {
  describe("store", () => {
    let subject: Subject | undefined;

    beforeEach(async () => {
      const database = await create();
      const gateway = await openGateway(database);
      await setUp(gateway.store);
      subject = { database, gateway };
    });

    afterEach(async () => {
      await subject?.gateway.store.close();
      await subject?.database.destroy();
      subject = undefined;
    });

    const current = () => {
      if (subject === undefined) throw new Error("asked for the subject outside a test");
      return subject;
    };

    testOpening(current);
    testAssessment(current);
    testClaims(current);
    testDecisions(current);
    testActions(current);
    testLifeOfCases(current);
    testLists(current);
    testGuards(current);
    testAccounts(current);
    testTools(current);
    testCommits(current);
    testLedger(current);
    testReads(current);
    testErasure(current);
    testRestoring(current);
    testImports(current);
    testFigures(current);
  });
}
