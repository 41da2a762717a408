import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Where Chromium is on this machine; null when there is none. */
export function findChromium(): string | null {
  const path = process.env["ATLAS_CHROMIUM"] ?? "/usr/bin/chromium";
  return existsSync(path) ? path : null;
}

/** A real browser with an empty profile that speaks to nobody but the page it is shown. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A page with what went wrong on it. */
export interface WatchedPage {
  readonly page: Page;
  /** Script errors, violations of the content security policy, dialogs, and anything else the browser complained of. */
  readonly complaints: readonly string[];
}

/** The status of a refused request is the browser's own note, not a fault of the page; what the page makes of it is tested. */
const REFUSED_REQUEST = /^Failed to load resource: the server responded with a status of 4\d\d/;

/** Opens the console in a context of its own: no cookies, one time zone, whatever the machine's is. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ timezoneId: "Europe/Rome", locale: "en-US", ...options });
  context.setDefaultTimeout(40_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !REFUSED_REQUEST.test(message.text()))
      complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(`${url}/console`);
  return { page, complaints };
}

export async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Cases" }).waitFor();
}

/** By the menu behind the person's name. */
export async function signOut(page: Page, item = "Sign out"): Promise<void> {
  await page.locator('[aria-haspopup="menu"]').click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

/** Approves the open case with the mouse, whatever its risk asks for. */
export async function approveOn(page: Page): Promise<void> {
  const first = page.getByRole("button", { name: /^Approve…?$/ }).and(page.locator(":enabled"));
  await first.waitFor();
  const isOneStep = !(await first.innerText()).startsWith("Approve…");
  await first.click();
  if (isOneStep) return;
  const typed = page.locator("[data-first]");
  if ((await typed.count()) > 0) await typed.fill(await page.locator("label b").first().innerText());
  await page.getByRole("button", { name: "Approve and run" }).and(page.locator(":enabled")).click();
}

/** Fails when the page is wider than the window, which makes a reader scroll sideways. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>("document.documentElement.scrollWidth - window.innerWidth");
}

/** Texts whose contrast with what is behind them is less than 4.5 to 1. */
export function faintTexts(page: Page): Promise<readonly string[]> {
  return page.evaluate<readonly string[]>(readFileSync(join(import.meta.dirname, "faint-texts.js"), "utf8"));
}
