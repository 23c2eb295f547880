// Messages in the shapes of the common providers, read into one: {messages: [{role, parts}], rest}.

import { make } from "./dom.js";
import { paragraph, image, isImage, tree } from "./value.js";
import { visible } from "./text.js";

const LONGEST_PARSED = 2_000_000;
const KNOWN_ROLES = new Set(["system", "developer", "user", "human", "assistant", "ai", "model", "tool", "function"]);

/** A text that is JSON, parsed: clients write messages down as text too. */
export function parsed(value) {
  if (typeof value !== "string" || value.length > LONGEST_PARSED || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** The chat in a step's input or output, or null where it is none. */
export function chat(raw) {
  const value = parsed(raw);
  if (value === null || typeof value !== "object") return null;
  if (Array.isArray(value)) return areMessages(value) ? { messages: value.map(message), rest: null } : null;
  for (const key of ["messages", "contents", "input"]) {
    if (!areMessages(value[key])) continue;
    const { [key]: list, system, ...rest } = value;
    const messages = list.map(message);
    if (system !== undefined) messages.unshift({ role: "system", name: null, parts: parts(system) });
    return { messages, rest: Object.keys(rest).length > 0 ? rest : null };
  }
  if (Array.isArray(value.choices) && areMessages(value.choices.map((choice) => choice?.message))) {
    const { choices, ...rest } = value;
    return { messages: choices.map((choice) => message(choice.message)), rest };
  }
  if (!isMessage(value)) return null;
  const { role, content, parts: own, tool_calls, ...rest } = value;
  return { messages: [message(value)], rest: Object.keys(rest).length > 0 ? rest : null };
}

function areMessages(list) {
  return Array.isArray(list) && list.length > 0 && list.every(isMessage);
}

function isMessage(value) {
  if (value === null || typeof value !== "object" || !KNOWN_ROLES.has(value.role)) return false;
  return "content" in value || "parts" in value || "tool_calls" in value;
}

function message(value) {
  const own = parts(value.content ?? value.parts ?? []);
  for (const call of Array.isArray(value.tool_calls) ? value.tool_calls : []) {
    const { name, arguments: given } = call?.function ?? call ?? {};
    own.push({ kind: "call", name: String(name ?? "tool"), value: parsed(given ?? null) });
  }
  return { role: value.role, name: typeof value.name === "string" ? value.name : null, parts: own };
}

function parts(content) {
  const list = Array.isArray(content) ? content : [content];
  return list.map(part).filter((one) => one !== null);
}

function part(value) {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return { kind: "text", text: value };
  if (typeof value.text === "string") return { kind: "text", text: value.text };
  const source = imageSource(value);
  if (source !== null) return { kind: "image", source };
  if (value.type === "tool_use") return { kind: "call", name: String(value.name), value: value.input };
  if (value.functionCall) return { kind: "call", name: String(value.functionCall.name), value: value.functionCall.args };
  if (value.type === "tool_result") return { kind: "value", value: parsed(value.content ?? null) };
  return { kind: "value", value };
}

function imageSource(value) {
  const url = value.image_url?.url ?? value.image_url ?? value.source?.url;
  if (typeof url === "string") return url;
  const inline = value.source ?? value.inlineData ?? value.inline_data;
  const type = inline?.media_type ?? inline?.mimeType ?? inline?.mime_type;
  if (typeof inline?.data !== "string" || typeof type !== "string") return null;
  return `data:${type};base64,${inline.data}`;
}

export function showChat({ messages, rest }) {
  const block = make("div", "chat");
  for (const { role, name, parts: list } of messages) {
    const bubble = make("div", "message");
    bubble.dataset.role = role;
    bubble.append(make("div", "role", role, name === null ? null : make("bdi", "", ` ${visible(name)}`)));
    bubble.append(...list.map(showPart));
    block.append(bubble);
  }
  if (rest !== null) block.append(make("div", "rest-of", tree(rest)));
  return block;
}

function showPart(one) {
  if (one.kind === "text") return paragraph(one.text);
  if (one.kind === "call") return make("div", "call", make("bdi", "call-name", visible(one.name)), tree(one.value));
  if (one.kind === "value") return tree(one.value);
  if (isImage(one.source)) return image(one.source);
  return make("div", "not-loaded", "Image outside the tape, not loaded: ", make("bdi", "", visible(one.source.slice(0, 200))));
}

/** What a model was told, as one text: what two prompts are compared by. */
export function promptText(raw) {
  const found = chat(raw);
  if (found === null) return typeof raw === "string" ? raw : JSON.stringify(raw, null, 2);
  return found.messages.map(({ role, parts: list }) => `${role}:\n${list.map(partText).join("\n")}`).join("\n\n");
}

function partText(one) {
  if (one.kind === "text") return one.text;
  if (one.kind === "call") return `${one.name}(${JSON.stringify(one.value)})`;
  return one.kind === "image" ? `[image: ${one.source.length} characters]` : JSON.stringify(one.value);
}
