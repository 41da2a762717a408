import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { consoleFolder } from "../../src/console-folder.ts";
import { openTestGateway, type TestGateway } from "../../src/http/gateway.testing.ts";
import { findChromium, launchChromium, openPage, signIn } from "./browser.ts";

const chromium = findChromium();
const CASES = 10_000;
/** Rows that a window of 900 px can need, with those that wait beyond its edges. */
const MAX_ROWS = 60;

/** Scrolls by a wheel's steps for a while. Value: the times between frames, in milliseconds. */
const SCROLLED = `new Promise((done) => {
  const list = document.querySelector("ul[aria-label=Cases]").parentElement;
  const frames = [];
  let last = performance.now();
  const step = (now) => {
    frames.push(now - last);
    last = now;
    list.scrollTop += 240;
    if (frames.length < 200) requestAnimationFrame(step);
    else done(frames);
  };
  requestAnimationFrame(step);
})`;

describe.skipIf(chromium === null)("a queue of 10,000 open cases", () => {
  let gateway: TestGateway;
  let server: ReturnType<typeof serve>;
  let browser: Browser;
  let url: string;
  beforeAll(async () => {
    gateway = await openTestGateway({ consoleFolder });
    for (let opened = 0; opened < CASES; opened += 500) {
      await Promise.all(
        Array.from({ length: 500 }, (_, i) => gateway.openCase({ riskScore: 70 + ((opened + i) % 30) })),
      );
    }
    await new Promise<void>((resolve) => {
      server = serve({ fetch: gateway.app.fetch, port: 0, hostname: "127.0.0.1" }, (info: AddressInfo) => {
        url = `http://127.0.0.1:${info.port}`;
        resolve();
      });
    });
    browser = await launchChromium(chromium ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    await gateway?.close();
  });

  test("is read as it is scrolled, and only what is in sight is in the document", async () => {
    const { page, complaints } = await openPage(browser, url, { viewport: { width: 1440, height: 900 } });
    await signIn(page, gateway.token("sarah") ?? "");
    const rows = page.locator("nav li");
    await rows.first().waitFor();
    await page.getByText(`Open (${CASES})`).waitFor();
    const frames = await page.evaluate<number[]>(SCROLLED);
    const sorted = frames.toSorted((a, b) => a - b);
    const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
    process.stdout.write(
      `frames while scrolling: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, max ${at(0.999)} ms\n`,
    );
    expect(await rows.count()).toBeLessThan(MAX_ROWS);

    const reached = async () =>
      Number(await rows.last().getAttribute("aria-posinset")) >= 2_000 ||
      (await page.evaluate<boolean>(
        'document.querySelector("ul[aria-label=Cases]").parentElement.scrollTop += 1e7, false',
      ));
    await expect.poll(reached, { timeout: 120_000 }).toBe(true);
    expect(await rows.count()).toBeLessThan(MAX_ROWS);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
