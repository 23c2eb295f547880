#!/usr/bin/env bash
# Runs the load bench against a stack of its own and prints what came out.
#
#   benches/run.sh [up|split] [options of `load`, as --spans 200000]
#
# up:    everything in one process, as `retrace up` has it.
# split: the load goes to a second `retrace ingest` in a process of its own, whose memory is the figure asked for.
# With --sockets N (and --frames-per-second, --seconds) frames go over N WebSockets, in place of the cases.
# Cases: traces of 10 spans, traces of 1,000 spans (CASES="10 1000"); the output goes to $OUT. Build before:
#   cargo build --release -p retrace-server -p retrace-benches
set -euo pipefail
cd "$(dirname "$0")/.."

# A socket is a file.
ulimit -n "$(ulimit -Hn)"

mode=up
case ${1:-} in up | split) mode=$1 && shift ;; esac
binaries=${CARGO_TARGET_DIR:-target}/release
work=$(mktemp -d "${TMPDIR:-/tmp}/retrace-bench.XXXXXX")
out=${OUT:-$work/out}
mkdir -p "$out"
pids=()

stop_all() {
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        kill -TERM "${pids[$i]}" 2>/dev/null || true
        wait "${pids[$i]}" 2>/dev/null || true
    done
    mkdir -p "$out/logs" && cp "$work"/data/logs/*.log "$work"/*.log "$out/logs/" 2>/dev/null || true
    rm -rf "$work/data" "$work"/*.log
    rmdir "$work" 2>/dev/null || true
}
trap stop_all EXIT
trap 'exit 130' INT TERM

free_port() {
    while :; do
        port=$((20000 + RANDOM % 12000))
        (: </dev/tcp/127.0.0.1/$port) 2>/dev/null || { echo $port && return; }
    done
}

# ready URL PID LOG
ready() {
    for _ in $(seq 600); do
        curl -fs "$1/readyz" >/dev/null && return
        kill -0 "$2" 2>/dev/null || { cat "$3" >&2 && exit 1; }
        sleep 0.2
    done
    echo "$1 did not become ready" >&2 && exit 1
}

# endpoint KEY
endpoint() { sed -n "s/^$1 = [\"']\(.*\)[\"']$/\1/p" "$work/data/endpoints.toml"; }

export RETRACE_RATE_WRITE_PER_MINUTE=60000000 RETRACE_RATE_WRITE_BURST=1000000
export RETRACE_RATE_READ_PER_MINUTE=60000000 RETRACE_RATE_READ_BURST=1000000
export RETRACE_LIVE_CONNECTIONS_PER_KEY=100000
export RETRACE_LOG=${RETRACE_LOG:-warn}

url=http://127.0.0.1:$(free_port)
"$binaries/retrace" up --data "$work/data" --listen "${url#http://}" >"$work/up.log" 2>&1 &
pids+=($!)
ready "$url" $! "$work/up.log"
key=$(cat "$work/data/api-key")
brokers=$(endpoint kafka_brokers)
target=$url
watch=(--watch "${pids[0]}")

if [ "$mode" = split ]; then
    target=http://127.0.0.1:$(free_port)
    env RETRACE_LISTEN="${target#http://}" RETRACE_QUERY_URL="$url" RETRACE_KAFKA_BROKERS="$brokers" \
        RETRACE_CLICKHOUSE_URL="$(endpoint clickhouse_url)" RETRACE_CLICKHOUSE_USER="$(endpoint clickhouse_user)" \
        RETRACE_CLICKHOUSE_PASSWORD="$(endpoint clickhouse_password)" RETRACE_POSTGRES_URL="$(endpoint postgres_url)" \
        RETRACE_SECRET="$(endpoint secret)" RETRACE_TOPIC_PREFIX="$(endpoint topic_prefix)" \
        "$binaries/retrace" ingest >"$work/ingest.log" 2>&1 &
    pids+=($!)
    ready "$target" $! "$work/ingest.log"
    watch+=(--watch "${pids[1]}")
fi

echo "data $work/data, figures $out"
case " $* " in
*" --sockets "* | *" --sockets="*)
    RETRACE_API_KEY=$key "$binaries/load" --url "$target" --read-url "$url" --watch "${pids[-1]}" --json "$out/$mode-live.json" "$@"
    exit
    ;;
esac
for spans_per_trace in ${CASES:-10 1000}; do
    RETRACE_API_KEY=$key "$binaries/load" --url "$target" --read-url "$url" --kafka "$brokers" "${watch[@]}" \
        --spans-per-trace "$spans_per_trace" --label "$mode:" --json "$out/$mode-$spans_per_trace.json" "$@"
    curl -fs "$url/metrics" >"$out/$mode-$spans_per_trace.metrics" || true
done

# figure FILE OBJECT KEY: one number out of a file of figures; the object begins before the key
figure() { sed -n "/^ *\"$2\": {/,\$s/^ *\"$3\": \([0-9.]*\).*/\1/p" "$1" | head -n 1; }

printf '\n%-14s %11s %11s %9s %9s %13s %9s\n' 'spans a trace' accepted/s visible/s 'ack p50' 'ack p99' 'visible p99' 'of bare'
for spans_per_trace in ${CASES:-10 1000}; do
    file=$out/$mode-$spans_per_trace.json
    printf '%-14s %11.0f %11.0f %6.1f ms %6.1f ms %10.1f ms %9.2f\n' "$spans_per_trace" \
        "$(figure "$file" load accepted_spans_per_second)" "$(figure "$file" load visible_spans_per_second)" \
        "$(figure "$file" ack p50_ms)" "$(figure "$file" ack p99_ms)" "$(figure "$file" ack_to_visible p99_ms)" \
        "$(figure "$file" bare visible_of_bare)"
done
