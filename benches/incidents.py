#!/usr/bin/env python3
"""Whether the incidents and drifts that `load --traffic` has planted are found through the API, how soon, and what is found
where nothing was planted.

  RETRACE_API_KEY=… benches/incidents.py --load LOAD.log [--url http://localhost:3001] [--window-hours 6] [--clean 7]

LOAD.log is the output of the load: its lines `incident …` are the truth. Each incident is asked about at every hour of it,
with a window of its own length; each project also at every second window of the last --clean days that no incident touches.
"""
import argparse
import collections
import concurrent.futures
import datetime
import http.client
import json
import os
import urllib.parse

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--load", required=True)
parser.add_argument("--url", default="http://localhost:3001")
parser.add_argument("--window-hours", type=int, default=6)
parser.add_argument("--clean", type=int, default=7, help="days before the last incident's day that are asked about")
options = parser.parse_args()
key = os.environ["RETRACE_API_KEY"]
base = urllib.parse.urlparse(options.url)
HOUR = datetime.timedelta(hours=1)
WINDOW = HOUR * options.window_hours


def get(path, **query):
    connection = http.client.HTTPConnection(base.hostname, base.port, timeout=120)
    connection.request("GET", f"/api/v1{path}?{urllib.parse.urlencode(query)}", headers={"x-retrace-key": key})
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise SystemExit(f"GET {path} {query}: {response.status} {body[:300]!r}")
    return json.loads(body)


def found_at(asked):
    project, at = asked
    answer = get("/insights/anomalies", at=at.strftime("%Y-%m-%dT%H:%M:%SZ"), window_hours=options.window_hours, project_id=project)
    return [anomaly["type"] for anomaly in answer["anomalies"]]


def all_found(asked):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return dict(zip(asked, pool.map(found_at, asked)))


def incidents():
    with open(options.load) as file:
        found = [json.loads(line.split(None, 1)[1]) for line in file if line.split(None, 1)[:1] == ["incident"]]
    for incident in found:
        incident["from"], incident["to"] = (datetime.datetime.fromisoformat(incident[end]) for end in ("from", "to"))
    if not found:
        raise SystemExit(f"{options.load} names no incident")
    return found


def main():
    planted = incidents()
    spikes = [incident for incident in planted if not incident["kind"].endswith("_drift")]
    hours = {place: [(spike["project"], spike["from"] + hour * HOUR) for hour in range(1, options.window_hours + 1)]
             for place, spike in enumerate(spikes)}
    found = all_found([asked for of_spike in hours.values() for asked in of_spike])
    print("| kind | planted | found at the end | hours until found, median | longest |\n|---|---|---|---|---|")
    right = 0
    for kind in sorted({spike["kind"] for spike in spikes}):
        of_kind = [place for place, spike in enumerate(spikes) if spike["kind"] == kind]
        at_end = sum(kind in found[hours[place][-1]] for place in of_kind)
        first = [next((n for n, asked in enumerate(hours[place], 1) if kind in found[asked]), None) for place in of_kind]
        delays = sorted(hour for hour in first if hour)
        right += at_end
        print(f"| {kind} | {len(of_kind)} | {at_end} | {delays[len(delays) // 2] if delays else '–'} | {max(delays, default='–')} |")
        for place in of_kind:
            if kind not in found[hours[place][-1]]:
                print(f"  missed: {spikes[place]['project']} from {spikes[place]['from']}")
    end = max(spike["to"] for spike in spikes).replace(hour=0)
    touches = lambda project, at: any(
        incident["project"] == project and incident["from"] < at and incident["to"] > at - WINDOW for incident in planted)
    times = [end - n * 2 * WINDOW for n in range(options.clean * 24 // (2 * options.window_hours))]
    clean = [(project, at) for project in sorted({spike["project"] for spike in spikes}) for at in times
             if not touches(project, at)]
    wrong = collections.Counter(kind for kinds in all_found(clean).values() for kind in kinds)
    print(f"\nin {len(clean)} windows without an incident: {dict(wrong)}; precision {right / (right + sum(wrong.values())):.3f}")
    for drift in (incident for incident in planted if incident["kind"].endswith("_drift")):
        metrics = get("/insights/drift", project_id=drift["project"], name=drift["name"])["metrics"]
        drifted = [f"{metric['metric']} {metric['changePercent']:+.0f} %" for metric in metrics if metric["drifted"]]
        print(f"{drift['kind']} × {drift['factor']} of {drift['project']} / {drift['name']}: {drifted or 'not found'}")


main()
