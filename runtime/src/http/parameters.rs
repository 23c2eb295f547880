//! What the routes' queries may name, and what for.

pub const LIST_QUERY: &[(&str, &str)] = &[
    ("status", "running, completed or failed"),
    ("project_id", "Exact project"),
    ("name", "Exact name"),
    ("session_id", "Exact session"),
    ("user_id", "Exact user"),
    ("model", "A model that one of the spans used"),
    ("tag", "One of the trace's tags"),
    ("environment", "Exact environment"),
    ("from", "Started at or after (RFC 3339)"),
    ("to", "Started before (RFC 3339)"),
    ("min_cost", "Total cost of at least (US dollars)"),
    ("min_duration_ms", "Total duration of at least"),
    ("q", "Words that occur in the name"),
    ("sort", "started_at, total_cost, total_duration_ms or total_tokens; `-` before it for descending"),
    ("limit", "1 to 200, default 50"),
    ("offset", "At most 10000; beyond that use the cursor"),
    ("cursor", "next_cursor of the page before"),
    ("count", "`exact`: count all of a filtered list"),
];

pub const EXPORT_QUERY: &[(&str, &str)] = &[
    (
        "format",
        "ndjson (default; lines like the API's traces and spans), csv (texts that begin like a formula, or with `'`, \
         have a `'` before them) or parquet",
    ),
    ("payloads", "true (default), or false: without input, output, error, metadata, token_ids and logprobs"),
    ("status", "running, completed or failed"),
    ("project_id", "Exact project"),
    ("name", "Exact name"),
    ("session_id", "Exact session"),
    ("user_id", "Exact user"),
    ("model", "A model that one of the spans used"),
    ("tag", "One of the trace's tags"),
    ("environment", "Exact environment"),
    ("from", "Traces that started at or after (RFC 3339)"),
    ("to", "Traces that started before (RFC 3339)"),
    ("min_cost", "Traces with a total cost of at least (US dollars)"),
    ("min_duration_ms", "Traces with a total duration of at least"),
    ("q", "Words that occur in the trace's name"),
];

pub const COSTS_QUERY: &[(&str, &str)] = &[
    (
        "from",
        "Traces that started at or after (RFC 3339); default: 30 days of the time zone, the last one being that of `to`",
    ),
    ("to", "Traces that started before (RFC 3339); default: now"),
    ("timezone", "An IANA name, for the days and intervals; default UTC"),
    ("interval", "hour, day, week (from Monday) or month: a series beside `daily`"),
    ("group_by", "model, name, user, session, project, environment or tag"),
    ("limit", "Groups, the dearest first: 1 to 1000, default 100; the rest is summed up in `others`"),
    ("compare", "`previous`: the period of the same length before this one"),
    ("project_id", "Exact project"),
    ("environment", "Exact environment"),
    ("name", "Exact name"),
    ("user_id", "Exact user"),
    ("session_id", "Exact session"),
    ("model", "What this model was used for, not whole traces"),
    ("tag", "One of the trace's tags"),
];

pub const MODELS_QUERY: &[(&str, &str)] = &[
    (
        "from",
        "Traces that started at or after (RFC 3339); default: 30 days of the time zone, the last one being that of `to`",
    ),
    ("to", "Traces that started before (RFC 3339); default: now"),
    ("timezone", "An IANA name, for the default of `from`; default UTC"),
    ("project_id", "Exact project"),
    ("environment", "Exact environment"),
    ("priced", "`false`: models without a price in force only; `true`: the others only"),
    ("limit", "1 to 1000, default 200"),
];

pub const DRIFT_QUERY: &[(&str, &str)] = &[
    ("project_id", "Exact project"),
    ("from", "Start of the current window, the start of a day; default: 7 days before `to`"),
    ("to", "Its end, the start of a day; default: that of today"),
    ("timezone", "An IANA name, for the days; default UTC"),
    ("baseline_days", "Days before `from` to compare with: 1 to 180, default 21"),
    ("by", "name, model or environment: where the drift is, and whether it is a change of the mix"),
    ("limit", "Groups, the largest first: 1 to 20, default 10"),
    ("environment", "Exact environment"),
    ("name", "Exact name"),
    ("model", "A model that one of the spans used"),
    ("user_id", "Exact user"),
    ("session_id", "Exact session"),
    ("tag", "One of the trace's tags"),
];

pub const ANOMALIES_QUERY: &[(&str, &str)] = &[
    ("window_hours", "The last hours before `at`: 1 to 168, default 6"),
    ("at", "As of which time of the traces (RFC 3339); default now. What arrived later is counted too"),
    ("timezone", "An IANA name, for the same hours of earlier days; default UTC"),
    ("project_id", "Exact project"),
    ("environment", "Exact environment"),
    ("name", "Exact name"),
    ("model", "A model that one of the spans used"),
    ("user_id", "Exact user"),
    ("session_id", "Exact session"),
    ("tag", "One of the trace's tags"),
];

pub const BACKTEST_QUERY: &[(&str, &str)] = &[
    ("from", "The first moment (RFC 3339), taken to its hour; default: seven days before `to`"),
    ("to", "The last one; default now"),
    ("step_hours", "Between two moments: 1 to 24, default 1; at most 1000 moments"),
    ("window_hours", "The hours before each moment: 1 to 168, default 6"),
    ("timezone", "An IANA name, for the same hours of earlier days; default UTC"),
    ("project_id", "Exact project"),
    ("environment", "Exact environment"),
    ("name", "Exact name"),
    ("model", "A model that one of the spans used"),
    ("user_id", "Exact user"),
    ("session_id", "Exact session"),
    ("tag", "One of the trace's tags"),
];

pub const FAILURES_QUERY: &[(&str, &str)] = &[
    (
        "from",
        "Traces that started at or after (RFC 3339); default: 30 days of the time zone, the last one being that of `to`",
    ),
    ("to", "Traces that started before (RFC 3339); default: now"),
    ("timezone", "An IANA name, for the intervals; default UTC"),
    ("interval", "Of the trend: hour, day, week (from Monday) or month; default day"),
    ("recent_hours", "Before `to`: what is seen there for the first time is new; 1 to 8784, default 24"),
    ("limit", "Clusters, the most frequent first: 1 to 200, default 50"),
    ("project_id", "Exact project"),
    ("environment", "Exact environment"),
    ("name", "Exact name"),
    ("model", "A model that one of the spans used"),
    ("user_id", "Exact user"),
    ("session_id", "Exact session"),
    ("tag", "One of the trace's tags"),
];

pub const FAILED_TRACES_QUERY: &[(&str, &str)] = &[
    (
        "from",
        "Traces that started at or after (RFC 3339); default: 30 days of the time zone, the last one being that of `to`",
    ),
    ("to", "Traces that started before (RFC 3339); default: now"),
    ("timezone", "An IANA name, for the default of `from`; default UTC"),
    ("limit", "1 to 200, default 50"),
    ("cursor", "next_cursor of the page before"),
    ("project_id", "Exact project"),
    ("environment", "Exact environment"),
    ("name", "Exact name"),
    ("model", "A model that one of the spans used"),
    ("user_id", "Exact user"),
    ("session_id", "Exact session"),
    ("tag", "One of the trace's tags"),
];
