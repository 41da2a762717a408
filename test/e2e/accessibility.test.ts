import { join } from "node:path";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readApi, refIn, sendDecision, wireAgent } from "../scenario/agent.ts";
import { eventually } from "../scenario/eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "../scenario/gateway.ts";
import { findChromium, launchChromium, openPage, overflowOf, signIn } from "./browser.ts";

const chromium = findChromium();

/** What axe finds on the page as it is, one line each. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate<readonly string[]>(
    `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html.slice(0, 160))))`,
  );
}

describe.skipIf(chromium === null)("every page, in both themes, at 390 px and 1440 px", () => {
  let gateway: Scenario;
  let browser: Browser;
  let refs: Readonly<Record<"waiting" | "other" | "unknown" | "ran" | "rejected", string>>;
  beforeAll(async () => {
    gateway = await openScenario({
      yaml: (folder) => `
upstreams:
  ${countingUpstream({ name: "tools", recordFile: join(folder, "calls.jsonl") })}
policy:
  - { upstream: tools, verdict: review }
`,
    });
    const agent = wireAgent(gateway);
    const call = async (tool: string, text: string) =>
      refIn(await agent.call(tool, JSON.stringify({ text, reason: "Because." })));
    const decide = (ref: string, decision: string) =>
      sendDecision(gateway, { decision, event_id: ref, reason: "Looked at it." });
    const settled = async (ref: string, state: string) => {
      await eventually(async () => {
        expect(await readApi(gateway, `/api/v1/cases/${ref}`)).toMatchObject({ case: { state } });
      });
      return ref;
    };
    const unknown = await call("tools_die_after", "unknown");
    await decide(unknown, "APPROVED");
    const ran = await call("tools_write_thing", "ran");
    await decide(ran, "APPROVED");
    const rejected = await call("tools_write_thing", "rejected");
    await decide(rejected, "REJECTED");
    refs = {
      unknown: await settled(unknown, "UNKNOWN"),
      ran: await settled(ran, "SUCCEEDED"),
      rejected: await settled(rejected, "REJECTED"),
      waiting: await call("tools_write_thing", "hidden \u202e and long ".repeat(40)),
      other: await call("tools_vendor_thing", "other"),
    };
    browser = await launchChromium(chromium ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
  });

  const CASES = [
    { width: 390, height: 844, colorScheme: "light" },
    { width: 390, height: 844, colorScheme: "dark" },
    { width: 1440, height: 900, colorScheme: "light" },
    { width: 1440, height: 900, colorScheme: "dark" },
  ] as const;

  test.each(CASES)("axe finds nothing: $width px, $colorScheme", async ({ colorScheme, ...viewport }) => {
    const { page, complaints } = await openPage(browser, gateway.url, { viewport, colorScheme });
    const found: string[] = [];
    const look = async (where: string): Promise<void> => {
      found.push(...(await violations(page)).map((line) => `${where}: ${line}`));
      if ((await overflowOf(page)) > 0) found.push(`${where}: wider than the window`);
    };
    await page.getByLabel("Account").waitFor();
    await look("sign-in");
    await signIn(page, gateway.reviewerToken);
    await page.locator(`a[data-ref="${refs.waiting}"]`).waitFor();
    await look("queue");
    await page.locator('[aria-haspopup="menu"]').click();
    await page.getByRole("menuitem", { name: "Sign out", exact: true }).waitFor();
    await look("account menu");
    await page.keyboard.press("Escape");
    await page.evaluate("location.hash = '#/?tab=mine'");
    await page.getByText("You have not taken a case.").waitFor();
    await look("nothing there");
    await page.evaluate("location.hash = '#/?tab=decided'");
    await page.locator(`a[data-ref="${refs.rejected}"]`).waitFor();
    await look("decided");
    for (const [name, ref] of Object.entries(refs)) {
      await page.evaluate(`location.hash = '#/cases/${ref}'`);
      await page.waitForURL(`**/${ref}`);
      await page.getByRole("region", { name: "Timeline" }).waitFor();
      await page.getByRole("region", { name: "History" }).waitFor();
      await look(name);
    }
    for (const summary of await page.locator("summary").all()) await summary.click();
    await look("everything opened");
    const step = async (open: string, name: string): Promise<void> => {
      await page.getByRole("button", { name: open }).and(page.locator(":enabled")).click();
      await page.getByRole("button", { name: "Back", exact: true }).waitFor();
      await look(name);
      await page.getByRole("button", { name: "Back", exact: true }).click();
      await page.getByRole("button", { name: "Reject…" }).waitFor();
    };
    await step("Reject…", "reject");
    await step("Edit…", "edit");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await look("keys");
    expect(found).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
