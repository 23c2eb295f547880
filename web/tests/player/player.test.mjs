// Drives the pages in Chromium. `RETRACE_URL` is the server; with `RETRACE_API_KEY` the tapes are published there first, without it
// they are there already under their names in tapes.mjs. `CHROMIUM` is the browser; `PLAYER_MODULES` a folder whose node_modules
// holds what package.json names, if this one does not; `SCREENSHOTS` a folder to leave pictures in.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { HOSTILE, TAPES, publish } from "./tapes.mjs";

const modules = createRequire(process.env.PLAYER_MODULES ? `${process.env.PLAYER_MODULES}/` : import.meta.url);
const { chromium } = await import(pathToFileURL(modules.resolve("playwright-core")).href).then((found) => found.default ?? found);
const axe = modules("axe-core").source;
const base = process.env.RETRACE_URL;
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"];

const LONGEST_SCRIPT_MS = 16;
const MOST_BYTES = 500_000;
const LATEST_PAINT_MS = 1000;
const FRAME_APART_MICROS = 8000;

let browser;
let slugs;
let elsewhere;
let otherOrigin;

before(async () => {
  assert.ok(base, "RETRACE_URL is not set");
  slugs = process.env.RETRACE_API_KEY
    ? await publish(base, process.env.RETRACE_API_KEY)
    : Object.fromEntries(Object.keys(TAPES).map((name) => [name, name]));
  browser = await chromium.launch({ executablePath, args });
  elsewhere = createServer((request, response) => {
    const target = new URL(request.url, "http://any").searchParams.get("of");
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html><html lang="en"><title>Elsewhere</title><iframe src="${target}" width="900" height="620" title="Tape"></iframe>`);
  });
  await new Promise((ready) => elsewhere.listen(0, "localhost", ready));
  otherOrigin = `http://localhost:${elsewhere.address().port}`;
});

after(async () => {
  await browser?.close();
  elsewhere?.close();
});

/** A page whose console must stay silent; `check` is given it. */
async function onPage(path, check, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, ...options });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== "data:" && origin !== base && origin !== otherOrigin) faults.push(`asked for ${request.url()}`);
  });
  try {
    await page.goto(path.startsWith("http") ? path : base + path);
    await check(page);
    assert.deepEqual(faults, options.faults ?? []);
  } finally {
    await context.close();
  }
}

const part = (page, name) => page.locator(`[data-part=${name}]`);
const step = async (page) => Number((await part(page, "step").textContent()).replaceAll(",", ""));
const isPlaying = (page) => page.locator(".player.playing").waitFor();
const isStill = (page) => page.locator(".player:not(.playing)").waitFor();
const atStep = (page, number) => page.waitForFunction((n) => document.querySelector("[data-part=step]").textContent === n, String(number));
const handAt = (page) => page.evaluate(() => new DOMMatrix(getComputedStyle(document.querySelector(".hand")).transform).e);

test("plays by itself, pauses, and ends at the last step", () =>
  onPage(`/t/${slugs.cities}`, async (page) => {
    await isPlaying(page);
    await page.waitForFunction(() => Number(document.querySelector("[data-part=step]").textContent) > 1);
    await page.getByRole("button", { name: "Pause" }).click();
    await isStill(page);
    const at = await handAt(page);
    await page.waitForTimeout(300);
    assert.equal(await handAt(page), at);
    await page.keyboard.press("End");
    await page.locator(".row.current").waitFor();
    assert.equal(await step(page), 14);
  }));

test("four times the speed is four times as far", () =>
  onPage(`/t/${slugs.cities}?autoplay=0`, async (page) => {
    const travelled = async (speed) => {
      await part(page, "speed").selectOption(speed);
      const [from, began] = [await handAt(page), Date.now()];
      await part(page, "play").click();
      await page.waitForTimeout(900);
      await part(page, "play").click();
      await isStill(page);
      return ((await handAt(page)) - from) / (Date.now() - began);
    };
    const ratio = (await travelled("4")) / (await travelled("1"));
    assert.ok(ratio > 3 && ratio < 5, `${ratio}`);
  }));

test("scrubs by pointer, by the slider's keys, and by a click on a bar", () =>
  onPage(`/t/${slugs.cities}?autoplay=0`, async (page) => {
    const slider = page.getByRole("slider");
    const box = await slider.boundingBox();
    await page.mouse.move(box.x + box.width * 0.9, box.y + box.height - 3);
    await page.mouse.down();
    assert.ok((await step(page)) > 9);
    await page.mouse.move(box.x + box.width * 0.3, box.y + box.height - 3, { steps: 6 });
    await page.mouse.up();
    const there = await step(page);
    assert.ok(there > 1 && there < 9, `${there}`);
    await slider.focus();
    for (const [key, want] of [["Home", 1], ["ArrowRight", 2], ["ArrowUp", 3], ["ArrowLeft", 2], ["End", 14]]) {
      await page.keyboard.press(key);
      assert.equal(await slider.getAttribute("aria-valuenow"), String(want), key);
    }
    assert.match(await slider.getAttribute("aria-valuetext"), /^Step 14 of 14: answer$/);
    await page.mouse.click(box.x + 4, box.y + 11);
    await atStep(page, 1);
  }));

test("keys go through the steps, to the failed one, and can be switched off", () =>
  onPage(`/t/${slugs.cities}?autoplay=0`, async (page) => {
    for (const [key, want] of [["j", 2], ["ArrowRight", 3], ["k", 2], ["End", 14], ["Home", 1]]) {
      await page.keyboard.press(key);
      await atStep(page, want);
    }
    await page.keyboard.press("e");
    await page.locator(".row.current.failed").waitFor();
    assert.match(await part(page, "detail").textContent(), /TimeoutError/);
    await page.keyboard.press("+");
    assert.equal(await part(page, "speed").inputValue(), "1.5");
    await page.keyboard.press("-");
    await page.keyboard.press("-");
    assert.equal(await part(page, "speed").inputValue(), "0.5");
    await page.keyboard.press(" ");
    await isPlaying(page);
    await page.keyboard.press(" ");
    await isStill(page);
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByRole("checkbox").uncheck();
    await page.keyboard.press("Escape");
    const at = await step(page);
    await page.keyboard.press("j");
    await page.waitForTimeout(200);
    assert.equal(await step(page), at);
  }));

test("a link opens its step, and the address follows", () =>
  onPage(`/t/${slugs.cities}?step=3`, async (page) => {
    await atStep(page, 3);
    await page.waitForTimeout(600);
    assert.equal(await step(page), 3);
    await page.keyboard.press("j");
    await page.waitForURL(/step=4/);
  }));

test("chat as chat, images as images, JSON as a tree, prompts compared", () =>
  onPage(`/t/${slugs.cities}?step=11`, async (page) => {
    const detail = part(page, "detail");
    await detail.locator(".message[data-role=system]").waitFor();
    assert.equal(await detail.locator(".message").count(), 5);
    await page.waitForFunction(() => document.querySelector("img.picture")?.naturalWidth === 240);
    await detail.getByRole("button", { name: "Changes" }).click();
    await detail.locator("ins").first().waitFor();
    assert.match((await detail.locator("ins").allTextContents()).join(""), /primary/);
    assert.match((await detail.locator("del").allTextContents()).join(""), /Prefer/);
    await detail.getByRole("button", { name: "JSON" }).first().click();
    const branch = detail.locator("details.branch", { hasText: "messages" }).last();
    await branch.locator("summary").first().click();
    assert.equal(await branch.getAttribute("open"), null);
  }));

test("what a comparison shows makes up both texts", () =>
  onPage(`/t/${slugs.cities}?autoplay=0`, async (page) => {
    const wrong = await page.evaluate(async () => {
      const address = document.querySelector("link[href$='player/diff.js']").href;
      const { changes } = await import(address);
      const words = ["a", "b", "c", " ", "\n", "e1", "."];
      const text = () => Array.from({ length: Math.random() * 40 }, () => words[Math.floor(Math.random() * words.length)]).join("");
      const side = (runs, other) => runs.filter(([kind]) => kind !== other).map(([, run]) => run).join("");
      for (let i = 0; i < 2000; i++) {
        const [before, after] = [text(), text()];
        const runs = changes(before, after);
        if (side(runs, "new") !== before || side(runs, "gone") !== after) return [before, after];
      }
      return null;
    });
    assert.equal(wrong, null);
  }));

test("the embed plays in a frame of another site, and nothing else can be framed", async () => {
  await onPage(`${otherOrigin}/?of=${base}/embed/${slugs.cities}`, async (page) => {
    const frame = page.frameLocator("iframe");
    await frame.locator(".player.playing").waitFor();
    await frame.getByRole("button", { name: "Pause" }).click();
    await frame.locator(".player:not(.playing)").waitFor();
    const link = frame.getByRole("link", { name: "Powered by Retrace" });
    assert.equal(await link.getAttribute("href"), `${base}/`);
  });
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${otherOrigin}/?of=${base}/t/${slugs.cities}`);
  assert.equal(await page.frameLocator("iframe").locator("#player").count(), 0);
  await context.close();
});

test("the Embed button copies the code of the frame", () =>
  onPage(
    `/t/${slugs.cities}?autoplay=0`,
    async (page) => {
      await page.getByRole("button", { name: "Embed" }).click();
      await page.getByRole("button", { name: "Copied" }).waitFor();
      const code = await page.evaluate(() => navigator.clipboard.readText());
      assert.equal(code, await page.getByLabel("Code to embed").inputValue());
      assert.ok(code.startsWith(`<iframe src="${base}/embed/${slugs.cities}"`), code);
    },
    { permissions: ["clipboard-read", "clipboard-write"] },
  ));

test("hostile content is text", () =>
  onPage(`/t/${slugs.hostile}?step=1`, async (page) => {
    for (const key of ["j", "j", "k"]) {
      await page.locator(".message").first().waitFor();
      await page.keyboard.press(key);
    }
    await page.locator(".tree").first().waitFor();
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    const text = await page.locator("body").innerText();
    for (const wanted of ["⟨U+202E⟩evil⟨U+202C⟩ <script>", "␇bell", "⟨U+200B⟩zero", "a␀b", "مرحبا", "not loaded"]) {
      assert.ok(text.includes(wanted), wanted);
    }
    assert.equal(await page.locator("img").count(), 0);
    assert.ok(!(await page.content()).includes(HOSTILE));
  }));

test("nothing inline is allowed, and only the embed may be framed", async () => {
  for (const [path, ancestors] of [[`/t/${slugs.cities}`, "'none'"], [`/embed/${slugs.cities}`, "*"]]) {
    const policy = (await fetch(base + path)).headers.get("content-security-policy");
    assert.ok(policy.includes("default-src 'none'") && policy.includes(`frame-ancestors ${ancestors}`), policy);
    assert.ok(!policy.includes("unsafe"), policy);
  }
});

test("axe finds nothing serious, in both themes and at three widths", async () => {
  for (const colorScheme of ["light", "dark"]) {
    for (const [width, height] of [[360, 800], [768, 1024], [1440, 1000]]) {
      for (const path of [`/t/${slugs.cities}?step=11`, `/embed/${slugs.cities}?step=3`]) {
        await onPage(
          path,
          async (page) => {
            await page.locator(".message").first().waitFor();
            await isWithoutFault(page, path);
            if (process.env.SCREENSHOTS) await picture(page, `${path.split("/")[1]}-${width}-${colorScheme}`, width < 700);
            await page.keyboard.press("?");
            await isWithoutFault(page, `${path}, its help`);
          },
          { viewport: { width, height }, colorScheme },
        );
      }
    }
  }
});

async function isWithoutFault(page, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  const told = serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
  assert.deepEqual(told, [], where);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.ok(!wider, `${where} scrolls sideways`);
}

async function picture(page, name, fullPage) {
  await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png`, fullPage });
}

test("without scripts there is a list to read", () =>
  onPage(
    `/t/${slugs.cities}`,
    async (page) => {
      assert.ok(!(await page.locator("#player").isVisible()));
      assert.equal(await page.locator(".readable li").count(), 14);
      assert.ok(await page.getByText("Plan the search").isVisible());
      await page.locator(".readable summary").first().click();
      assert.ok(await page.locator(".readable pre").first().isVisible());
    },
    { javaScriptEnabled: false },
  ));

test("who wants less motion is not played to", () =>
  onPage(
    `/t/${slugs.cities}`,
    async (page) => {
      await page.locator(".player[data-ready]").waitFor();
      await page.waitForTimeout(500);
      assert.equal(await page.locator(".player.playing").count(), 0);
    },
    { reducedMotion: "reduce" },
  ));

test("the theme is chosen and kept", () =>
  onPage(
    `/t/${slugs.cities}?autoplay=0`,
    async (page) => {
      const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const light = await ground();
      await page.getByRole("button", { name: "Switch between light and dark" }).click();
      const dark = await ground();
      assert.notEqual(dark, light);
      await page.reload();
      assert.equal(await ground(), dark);
    },
    { colorScheme: "light" },
  ));

test("ten thousand spans: small, soon there, and smooth", () =>
  onPage(`/t/${slugs.long}?autoplay=0`, async (page) => {
    await page.locator(".player[data-ready]").waitFor();
    const first = await page.evaluate(() => ({
      paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
      bytes: [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
        .filter((entry) => !entry.name.includes("/steps?"))
        .reduce((sum, entry) => sum + entry.transferSize, 0),
    }));
    const rows = await page.locator(".row").count();
    assert.ok(rows < 60, `${rows} rows`);
    await part(page, "speed").selectOption("4");
    let fetches = 0;
    page.on("request", (request) => (fetches += request.url().includes("/steps?") ? 1 : 0));
    const playing = await timed(page, () => part(page, "play").click(), 5000);
    await part(page, "play").click();
    assert.ok(fetches <= 15, `${fetches} fetches in five seconds`);
    fetches = 0;
    const box = await page.getByRole("slider").boundingBox();
    await page.mouse.move(box.x + 20, box.y + 20);
    await page.mouse.down();
    const scrubbing = await timed(page, () => page.mouse.move(box.x + box.width - 20, box.y + 20, { steps: 120 }), 200);
    await page.mouse.up();
    assert.ok(fetches <= 15, `${fetches} fetches while scrubbing`);
    const scrolling = await timed(page, () => page.evaluate(scrollThrough), 0);
    console.log(JSON.stringify({ ...first, playing, scrubbing, scrolling }));
    assert.ok(first.paint <= LATEST_PAINT_MS, `first paint after ${first.paint} ms`);
    assert.ok(first.bytes <= MOST_BYTES, `${first.bytes} bytes`);
    for (const { p99 } of [playing, scrubbing, scrolling]) assert.ok(p99 <= LONGEST_SCRIPT_MS, `${p99} ms of scripts in a frame`);
  }));

/** How long scripts ran in each frame, in milliseconds of the thread, so that other work on the machine does not count. */
async function timed(page, act, milliseconds) {
  const session = await page.context().newCDPSession(page);
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  await session.send("Tracing.start", { traceConfig: { includedCategories: ["devtools.timeline"] } });
  const frames = await page.evaluate(() => {
    globalThis.frames_ = 0;
    const tick = () => ((globalThis.frames_ += 1), (globalThis.counting = requestAnimationFrame(tick)));
    tick();
    return performance.now();
  });
  await act();
  await page.waitForTimeout(milliseconds);
  const rate = await page.evaluate((from) => (cancelAnimationFrame(globalThis.counting), (1000 * globalThis.frames_) / (performance.now() - from)), frames);
  const complete = new Promise((done) => session.once("Tracing.tracingComplete", done));
  await session.send("Tracing.end");
  await complete;
  // Several callbacks of one frame follow each other at once.
  const fired = events.filter((event) => event.name === "FireAnimationFrame").map((event) => event.ts).sort((a, b) => a - b);
  const marks = fired.filter((ts, i) => i === 0 || ts - fired[i - 1] > FRAME_APART_MICROS);
  const perFrame = new Map();
  const busy = events.filter((event) => ["FunctionCall", "RunMicrotasks"].includes(event.name) && event.dur);
  for (const { ts, dur, tdur } of busy) {
    const frame = marks.findLast((mark) => mark <= ts) ?? 0;
    perFrame.set(frame, (perFrame.get(frame) ?? 0) + (tdur ?? dur) / 1000);
  }
  const costs = [...perFrame.values()].sort((a, b) => a - b);
  const at = (share) => Math.round(10 * (costs[Math.min(costs.length - 1, Math.floor(costs.length * share))] ?? 0)) / 10;
  return { frames: costs.length, per_second: Math.round(rate), median: at(0.5), p99: at(0.99), most: at(1) };
}

/** Runs in the page: the list from top to bottom, a stretch a frame. */
async function scrollThrough() {
  const list = document.querySelector("[data-part=list]");
  for (let frame = 0; frame < 180; frame++) {
    list.scrollTop = (frame / 180) * list.scrollHeight;
    await new Promise(requestAnimationFrame);
  }
}
