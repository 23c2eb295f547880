#!/usr/bin/env python3
"""What sealed content costs when it has to go: deletes traces of an installation that `load` has filled, and waits until
their content is out of Kafka's and ClickHouse's files.

  RETRACE_API_KEY=… benches/erasure.py DATA [http://localhost:3001] [traces]

DATA is the installation's data folder (`--data`); it must log in JSON from `info` on, as it does by default,
and look for work every second (RETRACE_ERASE_INTERVAL_MS=1000; by default every minute). Prints the
deletes, the time from the last acknowledged delete until the eraser says that the content of all is gone, and the size of
the keys topic before and after. Run it on an idle installation: what is written meanwhile is compacted with it.
"""
import concurrent.futures
import http.client
import json
import os
import pathlib
import sys
import time
import urllib.parse

data = pathlib.Path(sys.argv[1])
log = data / "logs" / "retrace.log"
base = urllib.parse.urlparse(sys.argv[2] if len(sys.argv) > 2 else "http://localhost:3001")
wanted = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
key = os.environ["RETRACE_API_KEY"]


def call(connection, method, path, status):
    connection.request(method, "/api/v1" + path, headers={"x-retrace-key": key})
    response = connection.getresponse()
    answer = response.read()
    if response.status != status:
        sys.exit(f"{method} {path}: {response.status} {answer[:300]!r}")
    return json.loads(answer) if answer else None


def connect():
    return http.client.HTTPConnection(base.hostname, base.port, timeout=120)


def traces():
    connection, found, cursor = connect(), [], ""
    while len(found) < wanted:
        page = call(connection, "GET", f"/traces?limit=100{cursor}", 200)
        found += [trace["id"] for trace in page["traces"]]
        cursor = f"&cursor={urllib.parse.quote(page['next_cursor'])}" if page.get("next_cursor") else sys.exit("too few traces")
    return found[:wanted]


def delete(ids):
    connection = connect()
    took = []
    for trace_id in ids:
        started = time.perf_counter()
        call(connection, "DELETE", f"/traces/{trace_id}", 204)
        took.append((time.perf_counter() - started) * 1000)
    return took


def size():
    """Of the keys topic's files."""
    return sum(path.stat().st_size for path in data.rglob("*.log") if path.parent.name.startswith("retrace.keys-"))


def erased():
    """Traces whose content is gone, as the eraser says once Kafka's files have been rewritten."""
    lines = (json.loads(line) for line in log.read_text().splitlines() if "content erased" in line)
    return sum(line["traces"] for line in lines)


ids = traces()
before, earlier = size(), erased()
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    started = time.perf_counter()
    took = sorted(sum(pool.map(delete, [ids[n::8] for n in range(8)]), []))
    deleted = time.perf_counter()
print(f"deletes: {len(ids) / (deleted - started):.0f}/s, p50 {took[len(took) // 2]:.0f} ms, p99 {took[len(took) * 99 // 100]:.0f} ms")
while erased() - earlier < len(ids):
    if time.perf_counter() - deleted > 600:
        sys.exit(f"{erased() - earlier} of {len(ids)} traces are erased after ten minutes")
    time.sleep(0.1)
print(f"erased {time.perf_counter() - deleted:.1f} s after the last delete")
print(f"keys topic {before / 1e6:.1f} MB before, {size() / 1e6:.1f} MB then")
