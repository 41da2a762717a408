import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refIn, sendDecision, wireAgent } from "../scenario/agent.ts";
import { countingUpstream, openScenario, type Scenario } from "../scenario/gateway.ts";
import { findChromium, launchChromium, openPage, signIn } from "./browser.ts";
import { welfareYaml } from "./welfare.ts";

/** `npm run screens` makes the pictures of the documentation; a run of the tests does not. */
const folder = process.env["ATLAS_SCREENS"];
const chromium = findChromium();

/** Each page once in either theme and size: all four of each would weigh more than they tell. */
const LOOKS = [
  { look: "desk", viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  { look: "phone", viewport: { width: 390, height: 844 }, colorScheme: "dark" },
] as const;

describe.skipIf(chromium === null || folder === undefined)("pictures of every page", () => {
  let gateway: Scenario;
  let browser: Browser;
  let refs: Readonly<Record<"pay" | "changed" | "unknown" | "ran", string>>;
  beforeAll(async () => {
    mkdirSync(folder ?? "", { recursive: true });
    gateway = await openScenario({
      yaml: (at) => {
        const files = { recordFile: join(at, "calls.jsonl"), controlFile: join(at, "control.json") };
        const office = countingUpstream({ name: "office", ...files });
        return welfareYaml().replace(
          /^policy:$/m,
          `  ${office}\npolicy:\n  - { upstream: office, verdict: review }`,
        );
      },
    });
    refs = await fill(gateway);
    browser = await launchChromium(chromium ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
  });

  test.each(LOOKS)("$look", async ({ look, viewport, colorScheme }) => {
    const { page, complaints } = await openPage(browser, gateway.url, { viewport, colorScheme });
    const shoot = async (name: string): Promise<void> => {
      // Locks are over by then, and what moves has come to rest.
      await page.waitForTimeout(1_300);
      await page.mouse.move(0, 0);
      await page.screenshot({ path: join(folder ?? "", `${name}-${look}.png`) });
    };
    const open = async (ref: string) => {
      await page.evaluate(`location.hash = '#/cases/${ref}'`);
      await page.getByRole("heading", { level: 1 }).waitFor();
    };
    const back = page.getByRole("button", { name: "Back", exact: true });
    await page.getByLabel("Account").waitFor();
    await shoot("sign-in");
    await signIn(page, gateway.reviewerToken);
    await shoot("queue");
    await open(refs.pay);
    await shoot("case");
    await page.getByRole("button", { name: "Approve…" }).click();
    await shoot("approve");
    await back.click();
    await page.getByRole("button", { name: "Edit…" }).click();
    await page.getByRole("textbox", { name: "days" }).fill("14");
    await page.getByRole("textbox", { name: "days" }).press("Enter");
    await shoot("edit");
    await back.click();
    await open(refs.changed);
    await shoot("changed-tool");
    await open(refs.unknown);
    await shoot("outcome-unknown");
    await open(refs.ran);
    await shoot("outcome");
    await page.keyboard.press("?");
    await shoot("keys");
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

async function fill(
  gateway: Scenario,
): Promise<Readonly<Record<"pay" | "changed" | "unknown" | "ran", string>>> {
  const agent = wireAgent(gateway);
  const rita = await gateway.addPerson("rita", ["reviewer"]);
  const pay = async (id: string, reason: string) =>
    refIn(await agent.call("request_payment_extension", JSON.stringify({ beneficiary_id: id, reason })));
  const decide = (ref: string, decision: string, reason?: string) =>
    sendDecision(gateway, { decision, event_id: ref, ...(reason !== undefined && { reason }) }, rita);
  const ran = await pay("BEN-104", "Rent is late and the landlord has given notice.");
  await decide(ran, "APPROVED", "Checked against the tenancy file.");
  const refused = await pay("BEN-117", "Again, please.");
  await decide(refused, "REJECTED", "Ask the tenancy office first.");
  const unknown = refIn(await agent.call("office_die_after", '{"entry":"2026-114"}'));
  await decide(unknown, "APPROVED");
  const changes = { vendor_thing: { description: "Sends the file to the vendor, and keeps a copy." } };
  writeFileSync(join(gateway.folder, "control.json"), JSON.stringify({ change: changes }));
  await new Promise((resolve) => setTimeout(resolve, 800));
  const changed = refIn(
    await agent.call("office_vendor_thing", '{"file":"minutes-2026-11.pdf","to":"vendor@example.org"}'),
  );
  refIn(await agent.call("office_write_thing", '{"text":"Call back on Monday about BEN-123."}'));
  const first = await pay("BEN-123", "The client lost her job in October; the benefit bridges two months.");
  await pay("BEN-131", "Hardship.");
  return { pay: first, changed, unknown, ran };
}
