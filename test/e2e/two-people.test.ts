import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readApi, refIn, wireAgent } from "../scenario/agent.ts";
import { countingUpstream, openScenario, type Scenario } from "../scenario/gateway.ts";
import { findChromium, launchChromium, openPage, signIn } from "./browser.ts";

const chromium = findChromium();

describe.skipIf(chromium === null)("a reviewer's screen, while others act", () => {
  let gateway: Scenario;
  let browser: Browser;
  let rita: string;
  let adam: string;
  beforeAll(async () => {
    gateway = await openScenario({
      yaml: (folder) => `
upstreams:
  ${countingUpstream({ name: "held", recordFile: join(folder, "calls.jsonl") })}
policy:
  - { upstream: held, verdict: review }
`,
    });
    rita = await gateway.addPerson("rita", ["reviewer"]);
    adam = await gateway.addPerson("adam", ["admin"]);
    browser = await launchChromium(chromium ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
  });

  async function post(token: string, path: string, body: object): Promise<void> {
    const response = await fetch(`${gateway.url}/api/v1/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(200);
  }

  async function visit(): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
    const watched = await openPage(browser, gateway.url);
    await signIn(watched.page, gateway.reviewerToken);
    return watched;
  }

  test("says what is stopped and why as soon as it is, and no longer when it is released", async () => {
    const { page, complaints } = await visit();
    const banner = page.getByRole("alert");
    expect(await banner.isVisible()).toBe(false);
    const upstream = { scope: "upstream", target: "held" };
    await post(adam, "kill-switches", { ...upstream, reason: "Wrong <b>amounts</b>." });
    await banner.waitFor();
    const said = await banner.innerText();
    expect(said.replaceAll("\u200b", "")).toMatch(
      /Stopped: upstream held by adam at .*Wrong <b>amounts<\/b>\./,
    );
    await page.reload();
    await banner.waitFor();
    await post(adam, "kill-switches/release", { ...upstream, reason: "Corrected." });
    await banner.waitFor({ state: "hidden" });
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("says who has a case, and lets it be taken over and decided", async () => {
    const ref = refIn(await wireAgent(gateway).call("held_write_thing", '{"text":"x"}'));
    await post(rita, `cases/${ref}/take`, {});
    const { page, complaints } = await visit();
    await page.locator(`a[data-ref="${ref}"]`).click();
    await page.getByText("Another reviewer has taken this case.").waitFor();
    await page.getByText(/^rita works on it until/).waitFor();
    await page.getByRole("button", { name: "Take over" }).click();
    await page.getByRole("button", { name: "Reject…" }).click();
    await page.getByRole("button", { name: "Reject, do not run" }).click();
    await page.getByText("Your rejection is recorded.").waitFor();
    expect(await readApi(gateway, `/api/v1/cases/${ref}`)).toMatchObject({
      case: { state: "REJECTED", decided_by: "sarah", taken_by: null },
    });
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
