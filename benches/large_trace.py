#!/usr/bin/env python3
"""What a trace of 10,000 spans costs beside one of 10: record, read whole and by page, list, delete.

  RETRACE_API_KEY=… benches/large_trace.py [http://localhost:3001] [rounds]

"visible after" and "gone after" wait for the write (`x-retrace-after`); the other reads come behind them, so that their
figures are those of the operations themselves. The sizes take turns within a round.
"""
import http.client
import json
import os
import sys
import time
import urllib.parse
import uuid

SIZES = (10, 10_000)
base = urllib.parse.urlparse(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:3001")
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 30
connection = http.client.HTTPConnection(base.hostname, base.port, timeout=120)
key = os.environ["RETRACE_API_KEY"]


def call(method, path, status, body=None, after=None):
    headers = {"x-retrace-key": key}
    if body is not None:
        headers["content-type"] = "application/json"
    if after:
        headers["x-retrace-after"] = after
    started = time.perf_counter()
    connection.request(method, "/api/v1" + path, body, headers)
    response = connection.getresponse()
    answer = response.read()
    took = (time.perf_counter() - started) * 1000
    if response.status != status:
        sys.exit(f"{method} {path}: {response.status} {answer[:300]!r}")
    return took, response.getheader("x-retrace-position"), answer


def trace(spans):
    payload = {"messages": [{"role": "user", "content": "How warm is it in Oslo, and why? " * 12}]}
    return str(uuid.uuid4()), [
        {
            "id": f"{n + 1:016x}",
            "parent_id": f"{n // 10 + 1:016x}" if n >= 10 else None,
            "span_type": "llm_call",
            "name": f"step {n}",
            "model": "gpt-4o-mini",
            "input_tokens": 100 + n % 50,
            "output_tokens": 20,
            "started_at": f"2026-11-20T10:{n // 600 % 60:02}:{n // 10 % 60:02}.{n % 10}00Z",
            "ended_at": f"2026-11-20T10:{n // 600 % 60:02}:{n // 10 % 60:02}.{n % 10}50Z",
            "input": payload,
            "output": f"It is {n} degrees.",
        }
        for n in range(spans)
    ]


def one(size, figures):
    name = f"{size} spans"
    trace_id, spans = trace(size)
    body = json.dumps({"id": trace_id, "name": name, "status": "completed", "spans": spans})
    took, position, _ = call("POST", "/traces", 201, body)
    figures["record"].append(took)
    started = time.perf_counter()
    call("GET", f"/traces/{trace_id}/spans?limit=1", 200, after=position)
    figures["visible after"].append((time.perf_counter() - started) * 1000)
    took, _, answer = call("GET", f"/traces/{trace_id}", 200)
    if len(json.loads(answer)["spans"]) != size:
        sys.exit(f"{trace_id} has not all of its spans")
    figures["read whole"].append(took)
    cursor, seen = "", 0
    while True:
        took, _, answer = call("GET", f"/traces/{trace_id}/spans?limit=200{cursor}", 200)
        figures["read a page"].append(took)
        page = json.loads(answer)
        seen += len(page["spans"])
        if not page.get("next_cursor"):
            break
        cursor = "&cursor=" + page["next_cursor"]
    if seen != size:
        sys.exit(f"{trace_id}: {seen} spans by page")
    figures["list"].append(call("GET", f"/traces?name={urllib.parse.quote(name)}&limit=50", 200)[0])
    took, position, _ = call("DELETE", f"/traces/{trace_id}", 204)
    figures["delete"].append(took)
    started = time.perf_counter()
    call("GET", f"/traces/{trace_id}", 404, after=position)
    figures["gone after"].append((time.perf_counter() - started) * 1000)


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))]


OPERATIONS = ["record", "visible after", "read whole", "read a page", "list", "delete", "gone after"]
figures = {size: {operation: [] for operation in OPERATIONS} for size in SIZES}
for size in SIZES:
    one(size, {operation: [] for operation in OPERATIONS})
for _ in range(rounds):
    for size in SIZES:
        one(size, figures[size])
print(f"{rounds} traces of each size; milliseconds; below 100 traces the p99 is the slowest")
print(f"{'':<14}" + "".join(f"{f'{size} spans':>22}" for size in SIZES) + f"{'p99 ratio':>12}")
print(f"{'':<14}" + f"{'p50':>12}{'p99':>10}" * len(SIZES))
for operation in OPERATIONS:
    line = [(quantile(figures[size][operation], 0.5), quantile(figures[size][operation], 0.99)) for size in SIZES]
    ratio = line[1][1] / line[0][1]
    print(f"{operation:<14}" + "".join(f"{p50:>12.1f}{p99:>10.1f}" for p50, p99 in line) + f"{ratio:>12.1f}")
