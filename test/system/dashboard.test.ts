/** The dashboard in a real browser against the real service, with a call that comes in as Asterisk sends it. */
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectTo, legMessages } from "../support/audiosocket-client.js";
import { isMissing } from "../support/requirements.js";
import { ROOT } from "../support/source-tree.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";
import { legOf } from "../support/telephone-leg.js";
import { until } from "../support/until.js";

const CALL = "6619d336-b468-40e0-945e-09e4d1d60001";
const PIECE_MS = 20;
const PATIENCE = { timeout: 20_000 };

/** Speaks at the speed of a call, from here on. */
async function speak(socket: Socket, samples: Int16Array, streamId?: string): Promise<void> {
  const [id, ...pieces] = legMessages(streamId ?? CALL, samples);
  if (streamId !== undefined && id !== undefined) socket.write(id);
  const startedAtMs = performance.now();
  for (const [index, piece] of pieces.entries()) {
    socket.write(piece);
    const aheadMs = index * PIECE_MS - (performance.now() - startedAtMs);
    if (aheadMs > 1) await wait(aheadMs);
  }
}

describe.skipIf(isMissing("chromium"))("the dashboard", () => {
  let gateway: TestGateway;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    process.env["SCRIPTED_WORDS"] = "he,said,he,will,kill,me,tonight,and,i,am,afraid";
    gateway = await startGateway(
      { DEFAULT_LANGUAGES: "en", EVENT_HEARTBEAT_MS: "500" },
      { inferenceEntry: { url: new URL("../support/scripted-speech-process.ts", import.meta.url), execArgv: ["--import", "tsx"] } },
    );
    browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    page = await browser.newPage({ viewport: { width: 1360, height: 820 }, locale: "en-GB" });
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
  });
  afterAll(async () => {
    delete process.env["SCRIPTED_WORDS"];
    await browser?.close();
    await gateway?.stop();
  });

  const visible = (selector: string) => page.locator(selector).first().waitFor(PATIENCE);

  it("lets nobody in with a wrong key, and somebody with a right one, by keyboard", async () => {
    await page.goto(gateway.service.url);
    await page.locator("#api-key").focus();
    await page.keyboard.type("oca_wrong");
    await page.keyboard.press("Enter");
    await visible(".problem");
    await page.locator("#api-key").fill(gateway.keys.agent);
    await page.keyboard.press("Enter");
    await visible(".calls");
    expect(page.url()).not.toContain("oca_");
    expect(await page.evaluate("Object.values(sessionStorage).join()")).not.toContain("oca_");
  });

  it("shows a call while it runs: unsettled words, then settled ones, and the danger in them", async () => {
    const socket = await connectTo(Number(gateway.service.streamAddress?.split(":")[1]));
    const spoken = speak(socket, legOf("child-violence-home", 0, 0, 25_000), CALL);
    await visible(".call-item .phase.active");
    await page.locator(".call-item").first().click();
    await visible(".line.interim");
    await visible(".line[data-line]:not(.interim)");
    await visible('.risk[role="alert"]');
    expect(await page.locator('.risk[role="alert"]').first().textContent()).toContain("kill me");
    await page.getByRole("button", { name: "What would make it less serious" }).first().click();
    await visible(".lowering li");
    const guidance = readFileSync(join(ROOT, "data", "guidance", "risks.json"), "utf8");
    for (const statement of await page.locator(".lowering li").allTextContents()) expect(guidance).toContain(`"${statement}"`);
    await page.keyboard.press("a");
    await visible(".risk.calm");
    await spoken;
    socket.end();
    await visible(".connection.finished");
    expect(await page.locator(".line[data-line]").count()).toBeGreaterThan(0);
  });

  it("jumps from a quote to its words", async () => {
    await page.locator(".risk button.quote").first().click();
    await visible(".line mark");
    expect((await page.locator(".line mark").allTextContents()).join("")).toContain("kill");
  });

  it("keeps a correction of a label of an ended call", async () => {
    await page.locator("#correct-main_category").click();
    await page.keyboard.type("x");
    await page.keyboard.press("Enter");
    await visible(".correction select");
    await page.locator(".correction select").selectOption({ index: 1 });
    await page.getByRole("button", { name: "Keep the correction" }).click();
    await page.getByText(/Corrected to/).waitFor(PATIENCE);
    const kept = await gateway.request("supervisor", `/api/v1/agent-feedback/call/${CALL}`);
    expect(await kept.text()).toContain('"task":"classification"');
  });

  it("finds a call by what was said in it, and goes back to all of them", async () => {
    const search = page.getByRole("searchbox");
    await search.fill("he afraid");
    await page.keyboard.press("Enter");
    await page.locator(".call-search ~ .problem", { hasText: "three letters" }).waitFor(PATIENCE);
    await search.fill("AFRAID toni*");
    // It is found a moment after it was analysed.
    const isFound = async (): Promise<boolean> => {
      await search.press("Enter");
      const seen = page.locator(".found-line", { hasText: "afraid" }).first();
      return seen.waitFor({ timeout: 1_000 }).then(
        () => true,
        () => false,
      );
    };
    await until("the call is found", isFound, 30_000, 100);
    await page
      .locator(".call-item", { has: page.locator(".found-line") })
      .first()
      .click();
    await visible(".line[data-line]");
    await search.fill("nobodysaidthis");
    await page.keyboard.press("Enter");
    await page.getByText("No call was found.").waitFor(PATIENCE);
    await search.fill("");
    await page
      .locator(".found-line")
      .first()
      .waitFor({ state: "detached", ...PATIENCE });
    await page.locator(".call-item").first().waitFor(PATIENCE);
    expect(new URL(page.url()).search).toBe("");
  });

  it("speaks Swahili when it is asked to, and says so to screen readers", async () => {
    await page.getByRole("button", { name: "Kiswahili" }).click();
    await page.getByText("Toka").first().waitFor(PATIENCE);
    expect(await page.evaluate("document.documentElement.lang")).toBe("sw");
  });

  it("leaves nothing of a call behind when somebody signs out, and nothing in the address or the title", async () => {
    expect(await page.title()).toBe("openchs-ai");
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe("/");
    await page.getByRole("button", { name: "Toka" }).click();
    await visible("#api-key");
    expect(await page.locator(".line").count()).toBe(0);
  });

  it("broke no rule of the content security policy on the way", () => {
    expect(complaints.filter((text) => !/status of (400|401|403|404|409|422)/.test(text))).toEqual([]);
  });
});
