import { existsSync } from "node:fs";
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
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

/** Fails when the page is wider than the window, which makes a reader scroll sideways. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>("document.documentElement.scrollWidth - window.innerWidth");
}
