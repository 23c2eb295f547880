//! What the routes' queries may name, and what for: what is read, refused and documented.

/// Name, and what it does.
pub type Parameter = (&'static str, &'static str);

/// In parts, as routes share some.
pub type Query = &'static [&'static [Parameter]];

pub fn names(query: Query) -> impl Iterator<Item = &'static str> {
    query.iter().flat_map(|part| part.iter().map(|(name, _)| *name))
}

/// Of traces in a period that ends now, where nothing else is said.
const PERIOD: &[Parameter] = &[
    (
        "from",
        "Traces that started at or after (RFC 3339); default: 30 days of the time zone, the last one being that of `to`",
    ),
    (
        "to",
        "Traces that started before (RFC 3339); default: now, with what clocks that are ahead have for later today (UTC)",
    ),
];

const PERIODS_ZONE: &[Parameter] = &[("timezone", "An IANA name, for the default of `from`; default UTC")];

/// What traces have in common.
const IN_COMMON: &[Parameter] = &[
    ("project_id", "Exact project"),
    ("environment", "Exact environment"),
    ("name", "Exact name"),
    ("user_id", "Exact user"),
    ("session_id", "Exact session"),
    ("tag", "One of the trace's tags"),
];

const MODEL: &[Parameter] = &[("model", "A model that one of the spans used")];

/// Of the list, and of what exports it.
const LIST_FILTERS: &[Parameter] = &[
    ("status", "running, completed or failed"),
    ("from", "Traces that started at or after (RFC 3339)"),
    ("to", "Traces that started before (RFC 3339)"),
    ("min_cost", "Traces with a total cost of at least (US dollars)"),
    ("min_duration_ms", "Traces with a total duration of at least"),
    ("q", "Words that occur in the trace's name"),
];

const PAGE: &[Parameter] = &[("limit", "1 to 200, default 50"), ("cursor", "next_cursor of the page before")];

pub const LIST_QUERY: Query = &[
    LIST_FILTERS,
    IN_COMMON,
    MODEL,
    &[("sort", "started_at, total_cost, total_duration_ms or total_tokens; `-` before it for descending")],
    PAGE,
    &[("offset", "At most 10000; beyond that use the cursor"), ("count", "`exact`: count all of a filtered list")],
];

pub const SPANS_QUERY: Query = &[&[("limit", "1 to 1000, default 200"), ("cursor", "next_cursor of the page before")]];

pub const EXPORT_QUERY: Query = &[
    &[
        (
            "format",
            "ndjson (default; lines like the API's traces and spans), csv (texts that begin like a formula, or with `'`, \
             have a `'` before them) or parquet",
        ),
        ("payloads", "true (default), or false: without input, output, error, metadata, token_ids and logprobs"),
    ],
    LIST_FILTERS,
    IN_COMMON,
    MODEL,
];

pub const COSTS_QUERY: Query = &[
    PERIOD,
    &[
        ("timezone", "An IANA name, for the days and intervals; default UTC"),
        ("interval", "hour, day, week (from Monday) or month: a series beside `daily`"),
        ("group_by", "model, name, user, session, project, environment or tag"),
        ("limit", "Groups, the dearest first: 1 to 1000, default 100; the rest is summed up in `others`"),
        ("compare", "`previous`: the period of the same length before this one"),
        ("model", "What this model was used for, not whole traces"),
    ],
    IN_COMMON,
];

pub const COST_INTELLIGENCE_QUERY: Query = &[
    PERIOD,
    PERIODS_ZONE,
    &[
        ("limit", "Features, models and recommendations, each: 1 to 200, default 50"),
        ("model", "What this model was used for; features: traces that used it"),
    ],
    IN_COMMON,
];

pub const MODELS_QUERY: Query = &[
    PERIOD,
    PERIODS_ZONE,
    &[
        ("project_id", "Exact project"),
        ("environment", "Exact environment"),
        ("priced", "`false`: models without a price in force only; `true`: the others only"),
        ("limit", "1 to 1000, default 200"),
    ],
];

pub const DRIFT_QUERY: Query = &[
    &[
        ("from", "Start of the current window, the start of a day; default: 7 days before `to`"),
        ("to", "Its end, the start of a day; default: that of today"),
        ("timezone", "An IANA name, for the days; default UTC"),
        ("baseline_days", "Days before `from` to compare with: 1 to 180, default 21"),
        ("by", "name, model or environment: where the drift is, and whether it is a change of the mix"),
        ("limit", "Groups, the largest first: 1 to 20, default 10"),
    ],
    IN_COMMON,
    MODEL,
];

const ANOMALIES_WINDOW: &[Parameter] = &[
    ("window_hours", "The hours before the moment: 1 to 168, default 6"),
    ("timezone", "An IANA name, for the same hours of earlier days; default UTC"),
];

pub const ANOMALIES_QUERY: Query = &[
    &[("at", "The moment, in the time of the traces (RFC 3339); default now. What arrived later is counted too")],
    ANOMALIES_WINDOW,
    IN_COMMON,
    MODEL,
];

pub const BACKTEST_QUERY: Query = &[
    &[
        ("from", "The first moment (RFC 3339), taken to its hour; default: seven days before `to`"),
        ("to", "The last one; default now"),
        ("step_hours", "Between two moments: 1 to 24, default 1; at most 1000 moments"),
    ],
    ANOMALIES_WINDOW,
    IN_COMMON,
    MODEL,
];

pub const FAILURES_QUERY: Query = &[
    PERIOD,
    &[
        ("timezone", "An IANA name, for the intervals; default UTC"),
        ("interval", "Of the trend: hour, day, week (from Monday) or month; default day"),
        ("recent_hours", "Before `to`: what is seen there for the first time is new; 1 to 8784, default 24"),
        ("limit", "Clusters, the most frequent first: 1 to 200, default 50"),
    ],
    IN_COMMON,
    MODEL,
];

pub const FAILED_TRACES_QUERY: Query = &[PERIOD, PERIODS_ZONE, PAGE, IN_COMMON, MODEL];
