#!/usr/bin/env python3
"""How long analytics and insights take: p50 and p99 over random requests from several clients, beside the plain ClickHouse
query over the spans that gives the same answer, in the same run.

  RETRACE_API_KEY=… benches/analytics.py --endpoints DATA/endpoints.toml [--url http://localhost:3001] [--calls 1000]
      [--clients 4] [--plain 20] [--days 30] [--generation 1] [--only costs,drift]

The store is whatever is there; `load --traffic` fills one. The server's rate limits must not be in the way
(RETRACE_RATE_READ_PER_MINUTE). Filters are drawn from the values that the tenant has.
"""
import argparse
import base64
import datetime
import http.client
import json
import os
import random
import statistics
import threading
import time
import tomllib
import urllib.parse

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--url", default="http://localhost:3001")
parser.add_argument("--endpoints", required=True)
parser.add_argument("--calls", type=int, default=1000)
parser.add_argument("--clients", type=int, default=4)
parser.add_argument("--plain", type=int, default=20)
parser.add_argument("--days", type=int, default=30)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--generation", type=int, default=1)
parser.add_argument("--only", default="")
options = parser.parse_args()
key = os.environ["RETRACE_API_KEY"]
base = urllib.parse.urlparse(options.url)
with open(options.endpoints, "rb") as file:
    endpoints = tomllib.load(file)
NOW = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0)
FROM = (NOW - datetime.timedelta(days=options.days)).replace(hour=0)


def connect():
    return http.client.HTTPConnection(base.hostname, base.port, timeout=120)


def get(connection, path, query):
    started = time.perf_counter()
    connection.request("GET", f"/api/v1{path}?{urllib.parse.urlencode(query)}", headers={"x-retrace-key": key})
    response = connection.getresponse()
    answer = response.read()
    took = (time.perf_counter() - started) * 1000
    if response.status != 200:
        raise SystemExit(f"GET {path} {query}: {response.status} {answer[:300]!r}")
    return took, answer


def plain(connection, sql):
    """Milliseconds and bytes read of a statement."""
    url = urllib.parse.urlparse(endpoints["clickhouse_url"])
    login = base64.b64encode(f"{endpoints['clickhouse_user']}:{endpoints['clickhouse_password']}".encode()).decode()
    started = time.perf_counter()
    database = endpoints.get("clickhouse_database", "retrace")
    connection.request(
        "POST",
        f"{url.path or '/'}?database={database}",
        sql,
        {"Authorization": f"Basic {login}"},
    )
    response = connection.getresponse()
    answer = response.read()
    took = (time.perf_counter() - started) * 1000
    if response.status != 200:
        raise SystemExit(f"{sql}: {response.status} {answer[:300]!r}")
    summary = json.loads(response.getheader("X-ClickHouse-Summary") or "{}")
    return took, int(summary.get("read_bytes", 0)), answer


def iso(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def values_of(connection):
    values = {}
    for group, parameter in (("project", "project_id"), ("name", "name"), ("model", "model"), ("environment", "environment")):
        _, answer = get(connection, "/analytics/costs", {"from": iso(FROM), "group_by": group, "limit": 1000})
        groups = json.loads(answer)["groups"]["groups"]
        values[parameter] = [group["value"] for group in groups if group["value"]]
    _, answer = get(connection, "/traces", {"status": "failed", "limit": 100})
    values["failed"] = [trace["id"] for trace in json.loads(answer)["traces"]]
    return values


def filters(draw, values, names, share):
    return {name: draw.choice(values[name]) for name in names if values[name] and draw.random() < share}


def sql_filters(query, of="t"):
    known = {"project_id": f"{of}.project_id", "environment": f"{of}.environment", "name": f"{of}.name"}
    text = "".join(f" AND {known[name]} = '{value}'" for name, value in query.items() if name in known)
    return text + (f" AND s.model = '{query['model']}'" if "model" in query else "")


def from_spans(columns, query, rest="", since=FROM, until=NOW):
    """Over the spans, with what the traces say of them."""
    generation = options.generation
    return (
        f"SELECT {columns} FROM spans_g{generation} AS s FINAL INNER JOIN traces_g{generation} AS t FINAL "
        f"ON t.tenant = s.tenant AND t.trace_id = s.trace_id WHERE t.started_at >= '{since:%Y-%m-%d %H:%M:%S}' "
        f"AND t.started_at < '{until:%Y-%m-%d %H:%M:%S}'{sql_filters(query)} {rest} FORMAT Null"
    )


def costs(draw, values, covered):
    names = ("project_id", "environment", "model") if covered else ("name",)
    query = filters(draw, values, names, 0.4 if covered else 1.0)
    asked = {"from": iso(FROM), "timezone": draw.choice(["UTC", "Europe/Berlin", "America/New_York"]), **query}
    if draw.random() < 0.5:
        asked["group_by"] = draw.choice(["model", "project", "environment"] if covered else ["name", "model"])
    columns = "toDate(t.started_at) AS day, s.model, sum(s.cost), sum(s.input_tokens + s.output_tokens), count()"
    return asked, from_spans(columns, query, "GROUP BY day, s.model")


def drift(draw, values):
    query = filters(draw, values, ("project_id", "environment", "name"), 0.3)
    asked = {**query, **({"by": draw.choice(["name", "model", "environment"])} if draw.random() < 0.3 else {})}
    columns = (
        "t.trace_id, any(t.started_at), any(t.status), sum(s.cost), sum(s.input_tokens + s.output_tokens), "
        "any(t.ended_at - t.started_at)"
    )
    midnight = NOW.replace(hour=0)
    since = midnight - datetime.timedelta(days=28)
    return asked, from_spans(columns, query, "GROUP BY t.trace_id", since, midnight)


def failures(draw, values):
    query = filters(draw, values, ("project_id", "environment", "name"), 0.4)
    generation = options.generation
    sql = (
        f"SELECT c.value, count(), min(t.started_at), max(t.started_at) FROM cells_g{generation} AS c FINAL "
        f"INNER JOIN traces_g{generation} AS t FINAL ON t.tenant = c.tenant AND t.trace_id = c.trace_id "
        f"WHERE c.field = 'error' AND t.status = 'failed' AND t.started_at >= '{FROM:%Y-%m-%d %H:%M:%S}'{sql_filters(query)} "
        f"GROUP BY c.value FORMAT Null"
    )
    return {"from": iso(FROM), **query}, sql


def anomalies(draw, values):
    query = filters(draw, values, ("project_id", "environment", "name"), 0.4)
    at = NOW - datetime.timedelta(hours=draw.randrange(48))
    columns = "t.trace_id, any(t.started_at), any(t.status), sum(s.cost), any(t.ended_at - t.started_at)"
    since = at - datetime.timedelta(days=29)
    return {"at": iso(at), **query}, from_spans(columns, query, "GROUP BY t.trace_id", since, at)


def cost_intelligence(draw, values):
    query = filters(draw, values, ("project_id", "environment", "name"), 0.4)
    generation = options.generation
    # The part that only the prompts tell: calls that were made before.
    sql = (
        f"SELECT t.name, s.model, count(), sum(s.cost), uniqExact(cityHash64(c.value)) FROM spans_g{generation} AS s FINAL "
        f"INNER JOIN cells_g{generation} AS c FINAL ON c.tenant = s.tenant AND c.trace_id = s.trace_id AND c.span_id = s.span_id "
        f"INNER JOIN traces_g{generation} AS t FINAL ON t.tenant = s.tenant AND t.trace_id = s.trace_id "
        f"WHERE c.field = 'input' AND t.started_at >= '{FROM:%Y-%m-%d %H:%M:%S}'{sql_filters(query)} "
        f"GROUP BY t.name, s.model FORMAT Null"
    )
    return {"from": iso(FROM), **query}, sql


def root_cause(draw, values):
    trace = draw.choice(values["failed"])
    generation = options.generation
    # What the analysis reads of the trace itself; the successful ones beside it come on top.
    sql = (
        f"SELECT s.*, c.field, c.value FROM spans_g{generation} AS s FINAL LEFT JOIN cells_g{generation} AS c FINAL "
        f"ON c.tenant = s.tenant AND c.trace_id = s.trace_id AND c.span_id = s.span_id WHERE s.trace_id = '{trace}' FORMAT Null"
    )
    return {"id": trace}, sql


CASES = {
    "costs": ("/analytics/costs", lambda draw, values: costs(draw, values, True)),
    "costs by name": ("/analytics/costs", lambda draw, values: costs(draw, values, False)),
    "cost intelligence": ("/analytics/cost-intelligence", cost_intelligence),
    "drift": ("/insights/drift", drift),
    "failures": ("/insights/failures", failures),
    "anomalies": ("/insights/anomalies", anomalies),
    "root cause": ("/traces/{id}/root-cause", root_cause),
}


def run(case, values):
    path, draw_one = CASES[case]
    draw = random.Random(f"{options.seed} {case}")
    requests = [(path.format(id=asked.pop("id", "")), asked, sql) for asked, sql in
                (draw_one(draw, values) for _ in range(options.calls))]
    took, lock = [], threading.Lock()
    waiting = iter(requests)

    def client():
        connection = connect()
        while True:
            with lock:
                request = next(waiting, None)
            if request is None:
                return
            duration, _ = get(connection, *request[:2])
            with lock:
                took.append(duration)

    threads = [threading.Thread(target=client) for _ in range(options.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One after another, each beside its plain query.
    connection = connect()
    clickhouse = urllib.parse.urlparse(endpoints["clickhouse_url"])
    store = http.client.HTTPConnection(clickhouse.hostname, clickhouse.port, timeout=300)
    alone, beside, read = [], [], []
    for path, asked, sql in requests[: options.plain]:
        alone.append(get(connection, path, asked)[0])
        duration, size, _ = plain(store, sql)
        beside.append(duration)
        read.append(size)
    took.sort()
    p = lambda share: took[min(len(took) - 1, int(len(took) * share))]
    print(
        f"| {case} | {p(0.5):.0f} | {p(0.99):.0f} | {statistics.median(alone):.0f} | {statistics.median(beside):.0f} | "
        f"{statistics.median(alone) / statistics.median(beside):.2f} | {statistics.median(read) / 1e6:.0f} |",
        flush=True,
    )


def main():
    values = values_of(connect())
    known = {name: len(found) for name, found in values.items()}
    print(f"{known}; {options.calls} calls from {options.clients} clients, {options.plain} plain queries\n")
    print("| request | p50 ms | p99 ms | alone ms | plain ms | ratio | plain MB |\n|---|---|---|---|---|---|---|")
    for case in CASES:
        if not options.only or case in options.only.split(","):
            run(case, values)


main()
