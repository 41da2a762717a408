import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { runAtlas } from "../scenario/atlas-process.ts";
import { countingUpstream, openScenario, type Scenario } from "../scenario/gateway.ts";
import { findChromium, launchChromium, openPage, signIn, signOut, type WatchedPage } from "./browser.ts";

const chromium = findChromium();
const PASSWORD = "kettle umbrella fjord";

const yaml = (folder: string) => `
upstreams:
  ${countingUpstream({ name: "tools", recordFile: join(folder, "calls.jsonl") })}
`;

let gateway: Scenario;
let browser: Browser;
const opened: WatchedPage[] = [];

describe.skipIf(chromium === null)("signing in to the console", () => {
  beforeAll(async () => {
    gateway = await openScenario({ yaml });
    browser = await launchChromium(chromium ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
  });
  afterEach(async () => {
    const complaints = opened.flatMap((watched) => watched.complaints);
    await Promise.all(opened.splice(0).map(({ page }) => page.context().close()));
    if (complaints.length > 0) throw new Error(complaints.join("\n"));
  });

  async function visit(): Promise<Page> {
    const watched = await openPage(browser, gateway.url);
    opened.push(watched);
    return watched.page;
  }

  test("works with account and password, and ends in every browser at once", async () => {
    await gateway.addPerson("rita", ["reviewer"]);
    const set = await runAtlas(["reviewers", "password", "rita", "--data", gateway.dataDir], PASSWORD);
    expect(set.code).toBe(0);
    const [desk, phone] = [await visit(), await visit()];
    for (const page of [desk, phone]) {
      await page.getByLabel("Account").fill("rita");
      await page.getByLabel("Password").fill("marble thistle harbour");
      await page.keyboard.press("Enter");
      await page.getByText("There is no such account with this password.").waitFor();
      expect(await page.getByLabel("Password").evaluate((input) => input.matches(":focus"))).toBe(true);
      await page.keyboard.type(PASSWORD);
      await page.keyboard.press("Enter");
      await page.getByText("rita", { exact: true }).waitFor();
    }
    await signOut(phone, "Sign out everywhere");
    await phone.getByText("You are signed out of every browser.").waitFor();
    await desk.evaluate("location.hash = '#/?tab=decided'");
    await desk.getByText("Your session has ended. Sign in again.").waitFor();
    expect((await desk.request.get(`${gateway.url}/api/v1/cases`)).status()).toBe(401);
  });

  test("shows single-operator mode on every page", async () => {
    const label = (page: Page) => page.getByText("Single-operator mode: people may decide").count();
    const before = await visit();
    await signIn(before, gateway.reviewerToken);
    expect(await label(before)).toBe(0);
    await gateway.reload(`${yaml(gateway.folder)}single_operator: true\n`);
    const page = await visit();
    await signIn(page, gateway.reviewerToken);
    await page.getByText("Nothing waits for a decision.").waitFor();
    expect(await label(page)).toBe(1);
    await page.evaluate("location.hash = '#/?tab=decided'");
    await page.getByText("Nobody has decided a case yet.").waitFor();
    expect(await label(page)).toBe(1);
  });
});
