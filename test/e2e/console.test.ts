import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connectSdk, SDK_CLIENTS } from "../clients/sdk-agent.ts";
import {
  approve,
  readApi,
  refIn,
  sendDecision,
  type WireAgent,
  wireAgent,
  words,
} from "../scenario/agent.ts";
import { eventually } from "../scenario/eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "../scenario/gateway.ts";
import { recordedCalls } from "../servers/counting-upstream.ts";
import {
  approveOn,
  faintTexts,
  findChromium,
  launchChromium,
  openPage,
  overflowOf,
  signIn,
  signOut,
  type WatchedPage,
} from "./browser.ts";
import { HOSTILE, hostileArguments, hostileShown } from "./hostile-text.ts";
import { welfareYaml } from "./welfare.ts";

const chromium = findChromium();
if (chromium === null) {
  process.stdout.write(
    "skipped: no Chromium at $ATLAS_CHROMIUM or /usr/bin/chromium, so the console is not tested in a browser\n",
  );
}

let gateway: Scenario;
let agent: WireAgent;
let rita: string;
let browser: Browser;
let recordFile: string;
let controlFile: string;
const opened: WatchedPage[] = [];

/** The upstream lists its tools with these changes from now on; one description is hostile all the time. */
function changeTools(change: Readonly<Record<string, { readonly description: string }>>): void {
  writeFileSync(controlFile, JSON.stringify({ change: { read_thing: { description: HOSTILE }, ...change } }));
}

describe.skipIf(chromium === null)("console", () => {
  beforeAll(async () => {
    gateway = await openScenario({
      yaml: (folder) => {
        recordFile = join(folder, "calls.jsonl");
        controlFile = join(folder, "control.json");
        changeTools({});
        const upstream = countingUpstream({ name: "tools", recordFile, controlFile });
        return welfareYaml().replace(
          /^policy:$/m,
          `  ${upstream}\npolicy:\n  - { upstream: tools, verdict: review }`,
        );
      },
    });
    agent = wireAgent(gateway);
    rita = await gateway.addPerson("rita", ["reviewer"]);
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

  /** The console in a browser of its own, before anybody signed in. */
  async function visit(options?: BrowserContextOptions): Promise<Page> {
    const watched = await openPage(browser, gateway.url, options);
    opened.push(watched);
    return watched.page;
  }

  async function visitAs(token: string, options?: BrowserContextOptions): Promise<Page> {
    const page = await visit(options);
    await signIn(page, token);
    return page;
  }

  async function visitCase(ref: string, options?: BrowserContextOptions): Promise<Page> {
    const page = await visitAs(gateway.reviewerToken, options);
    await row(page, ref).click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    return page;
  }

  const row = (page: Page, ref: string): Locator => page.locator(`a[data-ref="${ref}"]`);
  const button = (page: Page, name: string): Locator => page.getByRole("button", { name, exact: true });
  const outcome = (page: Page): Locator => page.getByRole("region", { name: "Outcome", exact: true });
  const argumentsOf = (page: Page): Locator => page.getByRole("region", { name: "Arguments, exact" });

  let parked = 0;
  async function park(tool = "tools_write_thing"): Promise<string> {
    parked += 1;
    return refIn(await agent.call(tool, `{"n":${parked}}`));
  }

  async function paymentEnd(id: string): Promise<string> {
    const status = await agent.call("check_payment_status", `{"beneficiary_id":"${id}"}`);
    return String(status.structuredContent?.["payment_end_date"]);
  }

  async function digestOf(ref: string): Promise<string> {
    const detail = (await readApi(gateway, `/api/v1/cases/${ref}`)) as { case: { digest: string } };
    return detail.case.digest;
  }

  test("a wrong token is refused in words, and the page can be left and entered again", async () => {
    const page = await visit();
    await page.getByLabel("Token").fill("atlas_person_wrong");
    await button(page, "Sign in").click();
    await page.getByText("This token opens nothing: it is unknown or was revoked.").waitFor();
    expect(await page.getByLabel("Token").evaluate((input) => input.matches(":focus"))).toBe(true);

    await page.getByLabel("Token").fill(gateway.agentKey);
    await button(page, "Sign in").click();
    await page.getByText("This is an agent's credential.").waitFor();

    await signIn(page, gateway.reviewerToken);
    await page.getByText("sarah").waitFor();
    expect((await page.request.get(`${gateway.url}/api/v1/cases`)).status()).toBe(200);
    const cookies = await page.context().cookies();
    // An answer that comes when nobody is signed in any more changes nothing on the page.
    const late = Promise.withResolvers<void>();
    await page.route("**/api/v1/cases?*", async (route) => {
      await late.promise;
      // The page may have given it up by now.
      await route.continue().catch(() => undefined);
    });
    await page.reload();
    await signOut(page);
    await page.getByText("You are signed out.").waitFor();
    late.resolve();
    await page.evaluate("fetch('/livez').then((answer) => answer.text())");
    expect(await page.getByText("You are signed out.").isVisible()).toBe(true);
    expect(await page.getByRole("navigation").count()).toBe(0);
    await page.context().addCookies(cookies);
    expect((await page.request.get(`${gateway.url}/api/v1/cases`)).status()).toBe(401);
    await page.reload();
    await page.getByLabel("Token").waitFor();
  });

  test("a call appears by itself, is shown byte for byte, and runs once a person approved it", async () => {
    const page = await visitAs(gateway.reviewerToken);
    await page.getByText("Nothing waits for a decision.").waitFor();
    const before = await paymentEnd("BEN-123");
    const text = '{"reason":"Rent é 1.50 \\u00e9 is late","days":45.0,"beneficiary_id":"BEN-123"}';
    const ref = refIn(await agent.call("request_payment_extension", text));
    await row(page, ref).click();

    await page.getByRole("heading", { level: 1, name: "request_payment_extension" }).waitFor();
    expect(await argumentsOf(page).textContent()).toBe(text);
    await button(page, "Indent for reading").first().click();
    const indented = await page.getByRole("region", { name: "Arguments, indented" }).textContent();
    expect(indented).toContain('"days": 45.0,\n  "beneficiary_id": "BEN-123"');
    const risk = page.getByRole("region", { name: "Risk", exact: true });
    expect(await risk.textContent()).toMatch(/CRITICAL \d+ The risk score reaches the threshold/);
    expect(await risk.textContent()).toContain("Policy rule rule-2: assess");
    expect(await risk.getByRole("list", { name: "Risk factors" }).textContent()).toContain("money.requested");
    expect(await page.getByRole("region", { name: "Record" }).textContent()).toContain(await digestOf(ref));
    expect(await page.locator("article [data-countdown]").first().textContent()).toMatch(
      /^23 h \d\d min left$/,
    );
    expect(await page.locator("article time").first().textContent()).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\+01:00$/,
    );

    await button(page, "Approve…").and(page.locator(":enabled")).click();
    const confirmation = page.getByRole("region", { name: "Decision" });
    expect(await confirmation.textContent()).toContain("Approve request_payment_extension on welfare?");
    expect(await confirmation.textContent()).toContain((await digestOf(ref)).slice(0, 12));
    // It cannot be taken back, so the value that matters is typed.
    const typed = page.getByLabel("To go on, type the value of days");
    expect(await typed.evaluate((input) => input.matches(":focus"))).toBe(true);
    await page.keyboard.type("45");
    await page.getByLabel("Note for the record").fill("Checked.");
    expect(await button(page, "Approve and run").isEnabled()).toBe(false);
    expect(await paymentEnd("BEN-123")).toBe(before);
    await typed.fill("45.0");
    await button(page, "Approve and run").and(page.locator(":enabled")).click();

    await page.getByText("The call ran, and the upstream answered.").waitFor();
    await page.getByText("Your approval is recorded.").waitFor();
    const after = await paymentEnd("BEN-123");
    expect(after > before).toBe(true);
    expect(await outcome(page).textContent()).toContain(`Payments to BEN-123 now end on ${after}.`);
    expect(await outcome(page).textContent()).toContain("Approved by sarah at ");
    await page.getByText("Nothing else waits for a decision.").waitFor();
    expect(words(await agent.checkStatus(ref))).toContain(after);
  });

  test("an agent with an SDK reads the reason of a rejection, and the person is led to the next case", async () => {
    const client = SDK_CLIENTS[3];
    const sdk = await connectSdk(client, gateway.url, gateway.agentKey);
    try {
      const before = await paymentEnd("BEN-104");
      const args = { beneficiary_id: "BEN-104", reason: "again" };
      const page = await visitAs(gateway.reviewerToken);
      const ref = refIn(await sdk.call("request_payment_extension", args));
      await row(page, ref).click();
      expect(await argumentsOf(page).textContent()).toBe('{"beneficiary_id":"BEN-104","reason":"again"}');
      const next = await park();
      await row(page, next).waitFor();

      await button(page, "Reject…").and(page.locator(":enabled")).click();
      await page.getByLabel("Reason (optional").fill("Ask the tenancy office first.\nThen ask again.");
      await button(page, "Reject, do not run").click();
      await page.getByText("The call did not run. The agent is told, with the reason.").waitFor();
      await page.getByText("Your rejection is recorded.").waitFor();
      expect(await outcome(page).textContent()).toContain("Rejected by sarah at ");
      expect(await outcome(page).locator("pre").textContent()).toBe(
        "Ask the tenancy office first.\nThen ask again.",
      );
      expect(words(await sdk.call("check_status", { ref }))).toContain("Ask the tenancy office first.");
      expect(await paymentEnd("BEN-104")).toBe(before);

      await page.getByRole("link", { name: "Next case: write_thing" }).click();
      await page.getByRole("heading", { level: 1, name: "write_thing" }).waitFor();
      expect(page.url()).toContain(next);
      await sendDecision(gateway, { decision: "REJECTED", event_id: next });
    } finally {
      await sdk.close();
    }
  });

  test("what somebody else decided meanwhile stands, and the screen says so", async () => {
    const ref = await park();
    const page = await visitCase(ref);
    await button(page, "Reject…").click();
    await page.getByLabel("Reason (optional").fill("No.");
    // The click is on its way when the other decision is made.
    await page.route("**/decision", async (route) => {
      await sendDecision(gateway, { decision: "APPROVED", event_id: ref }, rita);
      await route.continue();
    });
    await button(page, "Reject, do not run").click();
    await page.getByText("Nothing was recorded: the case changed meanwhile.").waitFor();
    await page.getByText("The call ran, and the upstream answered.").waitFor();
    expect(await outcome(page).textContent()).toContain("Approved by rita at ");
    expect(await page.getByText("No.", { exact: true }).count()).toBe(0);

    const other = await park();
    await row(page, other).click();
    await button(page, "Reject…").click();
    await page.getByLabel("Reason (optional").fill("I was about to");
    await sendDecision(gateway, { decision: "REJECTED", event_id: other, reason: "Not this one." }, rita);
    await page.getByText("rita decided this case meanwhile.").waitFor();
    expect(await button(page, "Reject, do not run").count()).toBe(0);
    expect(await outcome(page).textContent()).toContain("Not this one.");
  });

  test("an approval of what the case no longer is, is refused and the case shown anew", async () => {
    const ref = await park("tools_vendor_thing");
    const page = await visitCase(ref);
    const shown = await digestOf(ref);
    await page.route("**/decision", async (route) => {
      changeTools({ vendor_thing: { description: "Does something else now." } });
      await sendDecision(gateway, { decision: "APPROVED", event_id: ref, digest: shown }, rita);
      await eventually(async () => expect(await digestOf(ref)).not.toBe(shown));
      await route.continue();
    });
    await approveOn(page);
    await page.getByText("Nothing was recorded: the case changed meanwhile.").waitFor();
    await button(page, "Reject…").waitFor();
    expect(await page.getByRole("region", { name: "Tool", exact: true }).textContent()).toContain(
      "The tool's definition differs from the one that was accepted.",
    );
    const record = await page.getByRole("region", { name: "Record" }).textContent();
    expect(record).not.toContain(shown);
    expect(record).toContain(await digestOf(ref));
    expect(recordedCalls(recordFile).filter(({ tool }) => tool === "vendor_thing")).toEqual([]);
    await sendDecision(gateway, { decision: "REJECTED", event_id: ref });
  });

  test("an outcome that nobody knows is told as unknown, and kept in sight until a person says what happened", async () => {
    const ref = await park("tools_die_after");
    const page = await visitCase(ref);
    await approveOn(page);
    await page.getByText("Nobody knows whether the call ran.").waitFor();
    expect(await outcome(page).textContent()).toContain("It is not repeated by itself");
    expect(await page.locator("article").textContent()).not.toContain("The call ran");
    const queue = page.getByRole("navigation", { name: "Cases" });
    await queue.getByRole("link", { name: "Outcome unknown (1)" }).waitFor();
    expect(await row(page, ref).textContent()).toContain("Outcome unknown");
    expect(recordedCalls(recordFile).filter(({ tool }) => tool === "die_after")).toHaveLength(1);

    await button(page, "Record what happened").and(page.locator(":enabled")).click();
    expect(
      await page.getByRole("radio").evaluateAll((all) => all.some((one) => one.ariaChecked === "true")),
    ).toBe(false);
    await page.getByLabel("It ran.").check();
    await page.getByLabel("How do you know?").fill("The office's own file has the entry.");
    await button(page, "Record what happened").click();
    await page.getByText("What you found out is recorded.").waitFor();
    expect(await outcome(page).textContent()).toContain("A person found out that the call ran.");
    expect(await outcome(page).textContent()).toContain("Reported by sarah at ");
    expect(words(await agent.checkStatus(ref))).toContain("The office's own file has the entry.");
    expect(recordedCalls(recordFile).filter(({ tool }) => tool === "die_after")).toHaveLength(1);
  });

  test("hostile words of agents, tools and people are text and nothing else", async () => {
    const text = hostileArguments();
    const ref = refIn(await agent.call("tools_read_thing", text));
    const page = await visitCase(ref);
    await page.getByText("Definition as the upstream sent it").click();
    expect(await argumentsOf(page).textContent()).toBe(hostileShown(text));
    await page
      .getByText(/Contains \d+ characters that cannot be seen by themselves/)
      .first()
      .waitFor();
    const definition = page.getByRole("region", { name: "Tool definition, exact" });
    expect(await definition.textContent()).toContain(hostileShown(JSON.stringify(HOSTILE)));
    await sendDecision(gateway, { decision: "REJECTED", event_id: ref, reason: HOSTILE }, rita);
    await outcome(page).waitFor();
    expect(await outcome(page).locator("pre").textContent()).toBe(hostileShown(HOSTILE));

    const injected = "main :is(script, img, iframe, svg, style, object, a[href^='javascript'])";
    expect(await page.locator(injected).count()).toBe(0);
    expect(await page.locator("script").count()).toBe(1);
    expect(await page.evaluate("'pwned' in window")).toBe(false);
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  });

  // WCAG 2.2 AA: 1.4.3 contrast, 1.4.10 reflow.
  test.each([
    { width: 390, height: 844, colorScheme: "light" },
    { width: 390, height: 844, colorScheme: "dark" },
    { width: 1440, height: 900, colorScheme: "light" },
    { width: 1440, height: 900, colorScheme: "dark" },
  ] as const)(
    "fits $width px and is legible in the $colorScheme theme",
    async ({ colorScheme, ...viewport }) => {
      const long = "averylongwordwithoutanyplacetobreak".repeat(20);
      const text = `${colorScheme} ${viewport.width} ${long}`;
      const ref = refIn(await agent.call("tools_write_thing", JSON.stringify({ text, [long]: long })));
      const page = await visit({ viewport, colorScheme });
      const fits = async (): Promise<void> => expect(await overflowOf(page)).toBeLessThanOrEqual(0);
      await page.getByLabel("Token").waitFor();
      await fits();
      await signIn(page, gateway.reviewerToken);
      await row(page, ref).waitFor();
      await fits();
      await row(page, ref).click();
      await page.getByText("Definition as the upstream sent it").click();
      await button(page, "Reject…").and(page.locator(":enabled")).waitFor();
      await fits();
      expect(await faintTexts(page)).toEqual([]);
      await button(page, "Reject…").click();
      await button(page, "Reject, do not run").and(page.locator(":enabled")).waitFor();
      await fits();
      expect(await faintTexts(page)).toEqual([]);
      await approve(gateway, ref);
      await outcome(page).waitFor();
      await fits();
      expect(await faintTexts(page)).toEqual([]);
      await page.evaluate("location.hash = '#/?tab=decided'");
      await row(page, ref).waitFor();
      await fits();
    },
  );
});
