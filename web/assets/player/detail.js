// The open step: what went in, what came out, what failed.

import { button, copy, flash, make } from "./dom.js";
import { chat, parsed, promptText, showChat } from "./chat.js";
import { showChanges } from "./diff.js";
import { clock, count, duration, money, typeLabel, visible } from "./text.js";
import { paragraph, tree } from "./value.js";

// A step that is there sooner is shown without a sign of waiting.
const PATIENCE_MS = 150;

export class Detail {
  constructor(root, outline, steps) {
    Object.assign(this, { root, outline, steps, shown: -1, preferred: new Map() });
    this.head = root.querySelector(".detail-head");
    this.body = root.querySelector(".detail-body");
  }

  async show(i) {
    if (this.shown === i) return;
    this.shown = i;
    this.root.scrollTop = 0;
    this.head.replaceChildren(...heading(this.outline, i));
    const here = this.steps.here(i);
    if (here) return this.fill(i, here);
    const waiting = setTimeout(() => {
      if (this.shown === i) this.body.replaceChildren(make("p", "quiet waiting", "Loading this step…"));
    }, PATIENCE_MS);
    try {
      const step = await this.steps.get(i);
      if (this.shown === i) this.fill(i, step);
    } catch (error) {
      if (this.shown === i) this.fail(i, error);
    } finally {
      clearTimeout(waiting);
    }
  }

  fail(i, error) {
    const again = button("quiet-button", "Try again", () => {
      this.shown = -1;
      this.show(i);
    });
    this.body.replaceChildren(make("p", "fault", `This step could not be loaded. ${error.message}`), again);
  }

  fill(i, step) {
    // The outline may have cut it.
    if (step.name) this.head.querySelector(".step-name").textContent = visible(step.name);
    const sections = [];
    if (isThere(step.error)) sections.push(errorSection(step.error));
    if (isThere(step.input)) sections.push(this.section("Input", step.input, this.comparison(i, step)));
    if (isThere(step.output)) sections.push(this.section("Output", step.output, null));
    if (isThere(step.metadata)) sections.push(this.section("Metadata", step.metadata, null));
    if (sections.length === 0) sections.push(make("p", "quiet", "This step recorded no input and no output."));
    this.body.replaceChildren(...sections);
  }

  /** For a model call: its prompt beside that of the call before. */
  comparison(i, step) {
    const { outline } = this;
    const isCall = (at) => outline.typeName(at) === "llm_call";
    if (!isCall(i)) return null;
    const before = outline.before(i, isCall);
    if (before < 0) return null;
    return () => {
      const block = make("div", "", make("p", "quiet", "Comparing…"));
      this.steps
        .get(before)
        .then((other) => {
          const caption = make("p", "quiet", `Compared with step ${count(before + 1)}, the model call before.`);
          block.replaceChildren(caption, showChanges(promptText(other.input ?? ""), promptText(step.input)));
        })
        .catch((error) => block.replaceChildren(make("p", "fault", error.message)));
      return block;
    };
  }

  section(title, value, compare) {
    const found = chat(value);
    const views = new Map();
    if (found) views.set("Chat", () => showChat(found));
    const plain = parsed(value);
    views.set(typeof plain === "string" ? "Text" : "JSON", () => tree(plain));
    if (compare) views.set("Changes", compare);
    const body = make("div", "section-body");
    const choices = [];
    const choose = (view) => {
      body.replaceChildren(views.get(view)());
      for (const choice of choices) choice.setAttribute("aria-pressed", String(choice.textContent === view));
    };
    for (const view of views.size > 1 ? views.keys() : []) {
      choices.push(
        button("choice", view, () => {
          this.preferred.set(title, view);
          choose(view);
        }),
      );
    }
    const preferred = this.preferred.get(title);
    choose(views.has(preferred) ? preferred : views.keys().next().value);
    const copier = button("quiet-button", "Copy", async () => {
      const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
      flash(copier, (await copy(text)) ? "Copied" : "Not allowed");
    });
    copier.setAttribute("aria-label", `Copy ${title.toLowerCase()}`);
    const switches = choices.length > 0 ? make("div", "choices", ...choices) : null;
    return make("section", "part", make("header", "part-head", make("h3", "", title), switches, copier), body);
  }
}

function isThere(value) {
  if (value === null || value === undefined || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

function errorSection(error) {
  const text = typeof error === "string" ? paragraph(error) : tree(error);
  return make("section", "part error-part", make("header", "part-head", make("h3", "", "Error")), text);
}

function heading(outline, i) {
  const type = outline.typeName(i);
  const badge = make("span", "badge", make("span", "dot"), typeLabel(type));
  badge.dataset.type = type;
  const name = make("h2", "step-name", visible(outline.name(i)) || typeLabel(type));
  name.dir = "auto";
  const facts = make("p", "facts points");
  const fact = (text) => facts.append(make("span", "", text));
  fact(`at ${clock(outline.start[i])}`);
  fact(outline.took[i] < 0 ? "never ended" : duration(outline.took[i]));
  const [tokensIn, tokensOut] = [outline.tokensIn[i], outline.tokensOut[i]];
  if (tokensIn + tokensOut > 0) fact(`${count(tokensIn)} → ${count(tokensOut)} tokens`);
  if (outline.cost[i] > 0) fact(money(outline.cost[i]));
  if (outline.model(i) !== null) facts.append(make("bdi", "", visible(outline.model(i))));
  return [make("div", "over", badge, make("span", "quiet", `Step ${count(i + 1)} of ${count(outline.n)}`)), name, facts];
}
