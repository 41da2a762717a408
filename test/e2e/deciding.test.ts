import { join } from "node:path";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { readApi, refIn, sendDecision, type WireAgent, wireAgent, words } from "../scenario/agent.ts";
import { countingUpstream, openScenario, type Scenario } from "../scenario/gateway.ts";
import { recordedCalls } from "../servers/counting-upstream.ts";
import { approveOn, findChromium, launchChromium, openPage, signIn, type WatchedPage } from "./browser.ts";
import { welfareYaml } from "./welfare.ts";

const chromium = findChromium();

let gateway: Scenario;
let agent: WireAgent;
let rita: string;
let browser: Browser;
let recordFile: string;
const opened: WatchedPage[] = [];

const yaml = (folder: string, review = "") => {
  recordFile = join(folder, "calls.jsonl");
  const upstream = countingUpstream({ name: "tools", recordFile });
  const rules = `  ${upstream}\npolicy:\n  - { upstream: tools, verdict: review }`;
  return `${welfareYaml().replace(/^policy:$/m, rules)}\n${review}`;
};

describe.skipIf(chromium === null)("deciding in the console", () => {
  beforeAll(async () => {
    gateway = await openScenario({ yaml });
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

  async function visit(options?: BrowserContextOptions): Promise<Page> {
    const watched = await openPage(browser, gateway.url, options);
    opened.push(watched);
    return watched.page;
  }

  async function visitCase(ref: string, token = gateway.reviewerToken): Promise<Page> {
    const page = await visit();
    await signIn(page, token);
    await page.evaluate(`location.hash = '#/cases/${ref}'`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    return page;
  }

  const button = (page: Page, name: string): Locator => page.getByRole("button", { name, exact: true });
  const enabled = (page: Page, name: string): Locator => button(page, name).and(page.locator(":enabled"));
  const row = (page: Page, ref: string): Locator => page.locator(`a[data-ref="${ref}"]`);
  const write = async (text: string) =>
    refIn(await agent.call("tools_write_thing", JSON.stringify({ text })));
  const runsOf = (text: string) =>
    recordedCalls(recordFile).filter((call) => call.arguments?.includes(text) === true);

  test("the life of a case, with nothing but the keyboard", async () => {
    const page = await visit({ viewport: { width: 1440, height: 900 } });
    await page.getByLabel("Account").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.type(gateway.reviewerToken);
    await page.keyboard.press("Enter");
    await page.getByText("Nothing waits for a decision.").waitFor();

    const first = await write("by keyboard");
    await row(page, first).waitFor();
    await page.keyboard.press("j");
    await expectFocus(row(page, first));
    expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
    await page.keyboard.press("Enter");
    await expectFocus(page.getByRole("heading", { level: 1 }));
    await enabled(page, "Reject…").waitFor();

    await page.keyboard.press("x");
    await page.getByText("The case is yours now").waitFor();
    await row(page, first).getByText("yours").waitFor();
    await enabled(page, "Release").waitFor();
    await page.keyboard.press("x");
    await page.getByText("The case is free again.").waitFor();

    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    // Keys of the page behind it do nothing.
    await page.keyboard.press("r");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    expect(await button(page, "Reject, do not run").count()).toBe(0);

    await enabled(page, "Reject…").waitFor();
    await page.keyboard.press("r");
    await page.keyboard.type("a reason with keys: j k a r");
    await page.keyboard.press("Escape");
    await enabled(page, "Reject…").waitFor();
    expect(runsOf("by keyboard")).toEqual([]);
    await enabled(page, "Approve").or(enabled(page, "Approve…")).waitFor();
    await page.keyboard.press("a");
    if ((await page.locator("[data-first]").count()) > 0) await page.keyboard.type("by keyboard");
    if ((await button(page, "Approve and run").count()) > 0) {
      await enabled(page, "Approve and run").waitFor();
      await page.keyboard.press("Control+Enter");
    }
    await page.getByText("The call ran, and the upstream answered.").waitFor();
    expect(runsOf("by keyboard")).toHaveLength(1);
    await expectFocus(page.getByRole("heading", { level: 1 }));

    const second = await write("refused by keyboard");
    await row(page, second).waitFor();
    await page.keyboard.press("j");
    await page.waitForURL(`**/${second}`);
    await enabled(page, "Reject…").waitFor();
    await page.keyboard.press("r");
    await page.keyboard.type("Not today.");
    await enabled(page, "Reject, do not run").waitFor();
    await page.keyboard.press("Control+Enter");
    await page.getByText("Your rejection is recorded.").waitFor();
    expect(words(await agent.checkStatus(second))).toContain("Not today.");
    await page.keyboard.press("Escape");
    await page.getByText("Leave this page open").waitFor();
    await page.keyboard.press("/");
    // Slower than the list follows: nobody who types is interrupted by it.
    await page.keyboard.type("nobody", { delay: 350 });
    await page.waitForURL("**q=nobody");
    await expectFocus(page.getByRole("searchbox", { name: "Search cases" }));
    await page.getByText("No case is like that.").waitFor();
  });

  test("what was not in sight cannot be approved, and the first key only shows it", async () => {
    const ref = await write(`${"a long letter ".repeat(1_500)}the end`);
    const page = await visitCase(ref);
    await enabled(page, "Reject…").waitFor();
    const approve = page.getByRole("button", { name: /^Approve…?$/ });
    expect(await approve.isDisabled()).toBe(true);
    await page.keyboard.press("a");
    await page.getByText("Press a again to approve.").waitFor();
    await approve.and(page.locator(":enabled")).waitFor();
    expect(runsOf("the end")).toEqual([]);
    await page.keyboard.press("a");
    if ((await button(page, "Approve and run").count()) > 0) await approveFromPanel(page);
    await page.getByText("The call ran, and the upstream answered.").waitFor();
  });

  async function approveFromPanel(page: Page): Promise<void> {
    const typed = page.locator("[data-first]");
    if ((await typed.count()) > 0) await typed.fill(await page.locator("label b").first().innerText());
    await enabled(page, "Approve and run").click();
  }

  test("an edited call runs to the letter as it was edited, and the agent's own words stay as they were", async () => {
    const args = '{"text":"pay 1.50 \\u00e9","days":45.0,"deep":{"b":[1e2]}}';
    const ref = refIn(await agent.call("tools_write_thing", args));
    const page = await visitCase(ref);
    await enabled(page, "Edit…").click();
    await page.getByText("Nothing is changed yet.").first().waitFor();
    expect(await button(page, "Approve as edited…").isDisabled()).toBe(true);
    await page.getByRole("textbox", { name: "days" }).fill("14.50");
    await page.getByRole("textbox", { name: "days" }).press("Enter");
    const edited = args.replace("45.0", "14.50");
    expect(await page.getByLabel("Arguments as JSON").inputValue()).toBe(edited);
    const changes = page.getByRole("list", { name: "Changes the agent did not ask for" });
    expect(await changes.textContent()).toBe("/days− was 45.0+ is 14.50");
    await page.getByLabel("Arguments as JSON").fill(`${edited} x`);
    await page.getByText("The arguments are not a JSON object.").waitFor();
    await page.getByLabel("Arguments as JSON").fill(edited);
    await button(page, "Approve as edited…").click();
    const typed = page.locator("[data-first]");
    if ((await typed.count()) > 0) await typed.fill(await page.locator("label b").first().innerText());
    await enabled(page, "Approve and run as edited").click();
    await page.getByText("The call ran, and the upstream answered.").waitFor();
    expect(runsOf("14.50").map((call) => call.arguments)).toEqual([edited]);
    expect(await page.getByRole("region", { name: "Arguments, exact" }).textContent()).toBe(edited);
  });

  test("an approval is taken back before it runs, with one key", async () => {
    await gateway.reload(yaml(gateway.folder, "review:\n  undo_within: 30m\n"));
    const ref = await write("taken back");
    const page = await visitCase(ref);
    await approveOn(page);
    await page.getByText("Approved, and not sent yet.").waitFor();
    await enabled(page, "Undo").waitFor();
    await page.keyboard.press("u");
    await page.getByText("Your approval is taken back. The call did not run.").waitFor();
    expect(await page.getByRole("region", { name: "Outcome", exact: true }).textContent()).toContain(
      "The approval was taken back in time.",
    );
    expect(runsOf("taken back")).toEqual([]);
    await gateway.reload(yaml(gateway.folder));
  });

  test("two reviewers at once see each other, and one decision stands", async () => {
    const ref = await write("for two");
    const [sarah, other] = [await visitCase(ref), await visitCase(ref, rita)];
    await enabled(other, "Take").click();
    await sarah.getByText("Another reviewer has taken this case.").waitFor();
    expect(await button(sarah, "Reject…").count()).toBe(0);
    await enabled(sarah, "Take over").click();
    await other.getByText("Another reviewer has taken this case.").waitFor();
    await enabled(sarah, "Reject…").click();
    await enabled(sarah, "Reject, do not run").click();
    await sarah.getByText("Your rejection is recorded.").waitFor();
    await other.getByText("sarah decided this case meanwhile.").waitFor();
    expect(runsOf("for two")).toEqual([]);
  });

  test("a case whose time is over says what happened, and nobody decides it any more", async () => {
    await gateway.reload(yaml(gateway.folder, "review:\n  deadline: 6s\n"));
    const ref = await write("too late");
    await gateway.reload(yaml(gateway.folder));
    const page = await visitCase(ref);
    await page
      .getByText("this case has expired")
      .or(page.getByText("Nobody decided before the deadline"))
      .first()
      .waitFor();
    const outcome = page.getByRole("region", { name: "Outcome", exact: true });
    expect(await outcome.textContent()).toContain(
      "The call did not run. Nobody decided before the deadline.",
    );
    expect(await page.getByRole("button", { name: /^Approve|^Reject/ }).count()).toBe(0);
  });

  test("the difference from the last approved call, and what people decided before, are beside the call", async () => {
    const before = await write("first version");
    await sendDecision(gateway, { decision: "APPROVED", event_id: before }, rita);
    const ref = await write("second version");
    const page = await visitCase(ref);
    const list = page.getByRole("list", { name: "What differs from the last approved call" });
    expect(await list.textContent()).toBe('/text− was "first version"+ is "second version"');
    expect(await page.getByRole("region", { name: "History" }).textContent()).toMatch(
      /\d approved, \d rejected/,
    );
    const timeline = page.getByRole("region", { name: "Timeline" });
    expect(await timeline.innerText()).toContain("Waiting for a decision by");
    await approveOn(page);
    await page.getByText("The call ran, and the upstream answered.").waitFor();
    await timeline.getByText("Ran", { exact: true }).waitFor();
  });

  test("a list under the pointer keeps its places", async () => {
    const ref = await write("stays");
    const page = await visit({ viewport: { width: 1440, height: 900 } });
    await signIn(page, gateway.reviewerToken);
    await row(page, ref).hover();
    const place = async () => JSON.stringify(await row(page, ref).boundingBox());
    const before = await place();
    const urgent = await openUrgent();
    await page.getByRole("button", { name: "1 new — show now" }).waitFor();
    expect(await row(page, urgent).count()).toBe(0);
    await sendDecision(gateway, { decision: "REJECTED", event_id: ref }, rita);
    await row(page, ref).getByText("no longer in this list").waitFor();
    expect(await place()).toBe(before);
    await page.mouse.move(1_000, 400);
    await row(page, urgent).waitFor();
    expect(await row(page, ref).count()).toBe(0);
    await sendDecision(gateway, { decision: "REJECTED", event_id: urgent }, rita);
  });

  /** A case with an earlier deadline than every other. */
  async function openUrgent(): Promise<string> {
    await gateway.reload(yaml(gateway.folder, "review:\n  deadline: 30m\n"));
    const ref = await write("urgent");
    await gateway.reload(yaml(gateway.folder));
    expect(await readApi(gateway, `/api/v1/cases/${ref}`)).toMatchObject({
      case: { state: "AWAITING_REVIEW" },
    });
    return ref;
  }

  async function expectFocus(target: Locator): Promise<void> {
    await target.and(target.page().locator(":focus")).waitFor();
  }
});
