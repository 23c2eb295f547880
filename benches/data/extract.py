#!/usr/bin/env python3
"""Makes payloads.jsonl.zst: prompts and completions out of the VCR cassettes of published source distributions.

    pip download --no-deps --no-binary NAME NAME==VERSION     # for each line of NOTICE.md, into FOLDER
    python3 extract.py FOLDER | zstd -19 -o payloads.jsonl.zst

One line an exchange: {"model", "messages": [{"role", "content"}], "output"}. Headers, keys, URLs, images and embeddings
are left out; a message or an output that was seen before is left out too. Needs PyYAML.
"""
import base64
import gzip
import json
import re
import sys
import tarfile
from pathlib import Path

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SECRET = re.compile(r"\b(?:sk-|pk-|AKIA|eyJ[\w-]{20}|ghp_)[\w-]{8,}")
LONGEST = 20_000


def text_of(body):
    """The body of a request or response as text; some are gzip, some are binary."""
    if isinstance(body, dict):
        body = body.get("string", body.get("base64_string", ""))
    if isinstance(body, str):
        return body
    if not isinstance(body, bytes):
        return ""
    if body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    return body.decode("utf-8", "ignore")


def content_of(value):
    """Any provider's content (text, a list of parts, a tool call) as one text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(filter(None, map(content_of, value)))
    if not isinstance(value, dict):
        return ""
    if value.get("type") in ("image", "image_url", "input_image", "redacted_thinking"):
        return ""
    for key in ("text", "thinking", "content", "output", "parts", "summary"):
        if value.get(key):
            return content_of(value[key])
    call = {key: value[key] for key in ("name", "arguments", "input", "function") if value.get(key)}
    return json.dumps(call, ensure_ascii=False) if call else ""


def messages_of(request):
    found = []
    for key in ("system", "instructions", "prompt", "preamble", "message", "inputText"):
        if request.get(key):
            found.append(("system" if key in ("system", "instructions", "preamble") else "user", request[key]))
    for key in ("messages", "input", "chat_history", "contents"):
        value = request.get(key)
        for item in value if isinstance(value, list) else [value]:
            role = item.get("role", "tool") if isinstance(item, dict) else "user"
            calls = item.get("tool_calls") if isinstance(item, dict) else None
            found.append((role, [item, *(call.get("function", {}) for call in calls or [])]))
    if request.get("tools"):
        found.append(("system", json.dumps(request["tools"], ensure_ascii=False)))
    return [(role.lower(), content_of(value)) for role, value in found if value]


def events_of(stream):
    for line in stream.splitlines():
        if line.startswith("data:") and line[5:].strip().startswith("{"):
            try:
                yield json.loads(line[5:])
            except ValueError:
                pass


def streamed(stream):
    """The text that the deltas of a server-sent stream add up to."""
    parts = []
    for event in events_of(stream):
        if str(event.get("type", "")).endswith(".delta") and isinstance(event.get("delta"), str):
            parts.append(event["delta"])
        elif isinstance(event.get("delta"), dict):
            delta = event["delta"]
            parts.append(delta.get("text") or delta.get("thinking") or delta.get("partial_json") or "")
        for choice in event.get("choices") or []:
            delta = choice.get("delta") or {}
            parts.append(delta.get("content") or choice.get("text") or "")
            parts += [(call.get("function") or {}).get("arguments") or "" for call in delta.get("tool_calls") or []]
    return "".join(parts)


def output_of(text):
    try:
        answer = json.loads(text)
    except ValueError:
        return streamed(text)
    if not isinstance(answer, dict) or "embedding" in text[:400]:
        return ""
    for key in ("choices", "content", "output", "generation", "generations", "outputs", "results", "text", "completion", "error"):
        value = answer.get(key)
        if key == "choices" and value:
            value = [[choice.get("message") or choice.get("text"), (choice.get("message") or {}).get("tool_calls")] for choice in value]
        if key == "results" and value:
            value = [item.get("outputText") for item in value if isinstance(item, dict)]
        if value and (found := content_of(value)):
            return found
    return ""


def exchanges(archive):
    with tarfile.open(archive) as tar:
        for member in sorted(tar.getmembers(), key=lambda member: member.name):
            if "cassettes" in member.name and member.name.endswith(".yaml"):
                cassette = yaml.load(tar.extractfile(member).read(), Loader=LOADER)
                for exchange in cassette.get("interactions") or []:
                    yield text_of(exchange["request"].get("body")), text_of(exchange["response"].get("body"))


def main(folder):
    seen = set()

    def fresh(text):
        keep = 0 < len(text) <= LONGEST and text not in seen and "base64" not in text and not SECRET.search(text)
        seen.add(text)
        return keep

    for archive in sorted(Path(folder).glob("opentelemetry_instrumentation_*.tar.gz")):
        for request, response in exchanges(archive):
            try:
                asked = json.loads(request)
            except ValueError:
                continue
            if not isinstance(asked, dict):
                continue
            messages = [{"role": role, "content": text} for role, text in messages_of(asked) if fresh(text)]
            output = output_of(response)
            output = output if fresh(output) else ""
            if messages or output:
                line = {"model": asked.get("model", ""), "messages": messages, "output": output}
                print(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace").decode())


if __name__ == "__main__":
    main(sys.argv[1])
