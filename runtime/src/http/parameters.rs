//! What the routes' queries may name, of which kind, and what for: what is read, refused and documented.

use schemas::events::{collaboration, memory};

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
    pub is_needed: bool,
    pub description: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Without NUL, which no store can be asked for.
    Text,
    /// Text that a regular expression matches.
    Form(&'static str),
    /// RFC 3339
    Time,
    /// Of which twelve places count.
    Decimal,
    /// Within bounds; the default where it is not given, if it has one.
    Whole(u64, u64, Option<u64>),
    OneOf(&'static [&'static str]),
}

/// In parts, as routes share some.
pub type Query = &'static [&'static [Parameter]];

pub fn find(query: Query, name: &str) -> Option<&'static Parameter> {
    query.iter().copied().flatten().find(|parameter| parameter.name == name)
}

/// What a parameter of a path is, by the part before it.
pub fn in_path(before: &str) -> Kind {
    match before {
        "traces" => Kind::Form(TRACE_ID),
        "spans" => Kind::Form(SPAN_ID),
        "labels" => Kind::Form(LABEL),
        // By id or name, by a hash, by a slug.
        "prompts" | "failures" | "tapes" => Kind::Text,
        _ => Kind::Form(UUID),
    }
}

const TRACE_ID: &str = "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32})$";
const SPAN_ID: &str = "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16})$";
const UUID: &str = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";
const LABEL: &str = r"^(?!(\.{1,2}|latest)$)[A-Za-z0-9_.-]{1,64}$";
/// One to sixteen, none of them blank.
const TAGS: &str = r"^[^\u0000,]*[^\u0000,\s][^\u0000,]*(,[^\u0000,]*[^\u0000,\s][^\u0000,]*){0,15}$";

const TAPE_TAG: &str = r"^[^\u0000]{1,64}$";

const fn of(kind: Kind, name: &'static str, description: &'static str) -> Parameter {
    Parameter { name, kind, is_needed: false, description }
}

const fn needed(parameter: Parameter) -> Parameter {
    Parameter { is_needed: true, ..parameter }
}

const fn text(name: &'static str, description: &'static str) -> Parameter {
    of(Kind::Text, name, description)
}

const fn form(name: &'static str, pattern: &'static str, description: &'static str) -> Parameter {
    of(Kind::Form(pattern), name, description)
}

const fn time(name: &'static str, description: &'static str) -> Parameter {
    of(Kind::Time, name, description)
}

const fn decimal(name: &'static str, description: &'static str) -> Parameter {
    of(Kind::Decimal, name, description)
}

const fn whole(name: &'static str, (least, most, default): (u64, u64, u64), description: &'static str) -> Parameter {
    of(Kind::Whole(least, most, Some(default)), name, description)
}

/// Of a resource, without a default.
const fn version(name: &'static str, description: &'static str) -> Parameter {
    of(Kind::Whole(1, i64::MAX as u64, None), name, description)
}

const fn one_of(name: &'static str, all: &'static [&'static str], description: &'static str) -> Parameter {
    of(Kind::OneOf(all), name, description)
}

const INTERVALS: &[&str] = &["hour", "day", "week", "month"];
const FLAG: &[&str] = &["true", "false"];
const SORTS: &[&str] = &[
    "started_at",
    "-started_at",
    "total_cost",
    "-total_cost",
    "total_duration_ms",
    "-total_duration_ms",
    "total_tokens",
    "-total_tokens",
];

/// Of traces in a period that ends now, where nothing else is said.
const PERIOD: &[Parameter] = &[
    time("from", "Traces that started at or after; default: 30 days of the time zone, the last one being that of `to`"),
    time("to", "Traces that started before; default: now, with what clocks that are ahead have for later today (UTC)"),
];

const PERIODS_ZONE: &[Parameter] = &[text("timezone", "An IANA name, for the default of `from`; default UTC")];

/// What traces have in common.
const IN_COMMON: &[Parameter] = &[
    text("project_id", "Exact project"),
    text("environment", "Exact environment"),
    text("name", "Exact name"),
    text("user_id", "Exact user"),
    text("session_id", "Exact session"),
    text("tag", "One of the trace's tags"),
];

const MODEL: &[Parameter] = &[text("model", "A model that one of the spans used")];

/// Of the list, and of what exports it.
const LIST_FILTERS: &[Parameter] = &[
    one_of("status", &["running", "completed", "failed"], "Exact status"),
    time("from", "Traces that started at or after"),
    time("to", "Traces that started before"),
    decimal("min_cost", "Traces with a total cost of at least (US dollars)"),
    decimal("min_duration_ms", "Traces with a total duration of at least"),
    text("q", "Words that occur in the trace's name"),
];

const PAGE: &[Parameter] =
    &[whole("limit", (1, 200, 50), "How many"), text("cursor", "next_cursor of the page before")];

/// Of lists that also take an offset, and count.
const LIST: &[Parameter] = &[
    whole("offset", (0, 10_000, 0), "How many before the page; beyond that use the cursor"),
    one_of("count", &["exact"], "Count all of a filtered list"),
];

pub const LIST_QUERY: Query = &[
    LIST_FILTERS,
    IN_COMMON,
    MODEL,
    &[one_of("sort", SORTS, "`-` before it for descending; default `-started_at`")],
    PAGE,
    LIST,
];

pub const TRACE_QUERY: Query = &[&[one_of("spans", FLAG, "`true` by default; `false`: without its spans")]];

pub const SPANS_QUERY: Query =
    &[&[whole("limit", (1, 1_000, 200), "How many"), text("cursor", "next_cursor of the page before")]];

/// Of the steps of two traces.
pub const DIFF_STEPS: Query = &[
    &[one_of("show", &["all", "differing"], "`all` by default; `differing`: only steps that are not the same")],
    PAGE,
];

/// Of two groups of traces.
pub const DIFF_GROUPS: Query = &[
    PERIOD,
    PERIODS_ZONE,
    &[
        text("project_id", "Exact project"),
        text("environment", "Exact environment"),
        whole("traces", (1, 50, 20), "The newest so many of either name"),
    ],
];

pub const DIFF_QUERY: Query = &[
    &[
        form("a", TRACE_ID, "A trace"),
        form("b", TRACE_ID, "The one to hold against it"),
        text("a_name", "Instead of two traces: those of this name"),
        text("b_name", "The name of those to hold against them"),
    ],
    DIFF_STEPS[0],
    DIFF_STEPS[1],
    DIFF_GROUPS[0],
    DIFF_GROUPS[1],
    DIFF_GROUPS[2],
];

pub const EXPORT_QUERY: Query = &[
    &[
        one_of(
            "format",
            &["ndjson", "csv", "parquet"],
            "ndjson (default; lines like the API's traces and spans), csv (texts that begin like a formula, or with `'`, \
             have a `'` before them) or parquet",
        ),
        one_of(
            "payloads",
            FLAG,
            "`true` by default; `false`: without input, output, error, metadata, token_ids and logprobs",
        ),
    ],
    LIST_FILTERS,
    IN_COMMON,
    MODEL,
];

pub const COSTS_QUERY: Query = &[
    PERIOD,
    &[
        text("timezone", "An IANA name, for the days and intervals; default UTC"),
        one_of("interval", INTERVALS, "A series beside `daily`; weeks are from Monday"),
        one_of(
            "group_by",
            &["model", "name", "user", "session", "project", "environment", "tag"],
            "What the groups have in common",
        ),
        whole("limit", (1, 1_000, 100), "Groups, the dearest first; the rest is summed up in `others`"),
        one_of("compare", &["previous"], "With the period of the same length before this one"),
        text("model", "What this model was used for, not whole traces"),
    ],
    IN_COMMON,
];

pub const COST_INTELLIGENCE_QUERY: Query = &[
    PERIOD,
    PERIODS_ZONE,
    &[
        whole("limit", (1, 200, 50), "Features, models and recommendations, each"),
        text("model", "What this model was used for; features: traces that used it"),
    ],
    IN_COMMON,
];

pub const MODELS_QUERY: Query = &[
    PERIOD,
    PERIODS_ZONE,
    &[
        text("project_id", "Exact project"),
        text("environment", "Exact environment"),
        one_of("priced", FLAG, "`false`: models without a price in force only; `true`: the others only"),
        whole("limit", (1, 1_000, 200), "How many"),
    ],
];

pub const DRIFT_QUERY: Query = &[
    &[
        time("from", "Start of the current window, the start of a day; default: 7 days before `to`"),
        time("to", "Its end, the start of a day; default: that of today"),
        text("timezone", "An IANA name, for the days; default UTC"),
        whole("baseline_days", (1, 180, 21), "Days before `from` to compare with"),
        one_of("by", &["name", "model", "environment"], "Where the drift is, and whether it is a change of the mix"),
        whole("limit", (1, 20, 10), "Groups, the largest first"),
    ],
    IN_COMMON,
    MODEL,
];

const ANOMALIES_WINDOW: &[Parameter] = &[
    whole("window_hours", (1, 168, 6), "The hours before the moment"),
    text("timezone", "An IANA name, for the same hours of earlier days; default UTC"),
];

pub const ANOMALIES_QUERY: Query = &[
    &[time("at", "The moment, in the time of the traces; default now. What arrived later is counted too")],
    ANOMALIES_WINDOW,
    IN_COMMON,
    MODEL,
];

pub const BACKTEST_QUERY: Query = &[
    &[
        time("from", "The first moment, taken to its hour; default: seven days before `to`"),
        time("to", "The last one; default now"),
        whole("step_hours", (1, 24, 1), "Between two moments, of which there are at most 1000"),
    ],
    ANOMALIES_WINDOW,
    IN_COMMON,
    MODEL,
];

pub const FAILURES_QUERY: Query = &[
    PERIOD,
    &[
        text("timezone", "An IANA name, for the intervals; default UTC"),
        one_of("interval", INTERVALS, "Of the trend; weeks are from Monday; default day"),
        whole("recent_hours", (1, 8_784, 24), "Before `to`: what is seen there for the first time is new"),
        whole("limit", (1, 200, 50), "Clusters, the most frequent first"),
    ],
    IN_COMMON,
    MODEL,
];

pub const FAILED_TRACES_QUERY: Query = &[PERIOD, PERIODS_ZONE, PAGE, IN_COMMON, MODEL];

pub const SKILLS_QUERY: Query =
    &[&[text("scope", "Exact scope"), form("tags", TAGS, "Comma separated: skills that have all of them")], PAGE, LIST];

pub const SKILL_QUERY: Query = &[&[version("version", "A version; default: the current one")]];

pub const SKILL_VERSIONS_QUERY: Query = &[PAGE];

pub const PROMPTS_QUERY: Query =
    &[&[text("name", "Exact name"), text("label", "A label that the prompt has; `latest`: all prompts")], PAGE, LIST];

pub const PROMPT_QUERY: Query = &[&[
    text("label", "Only the version that this label points at; `latest`: the newest one"),
    version("version", "Only this version"),
]];

pub const PROMPT_VERSIONS_QUERY: Query = &[PAGE];

pub const PROMPT_DIFF_QUERY: Query = &[&[needed(version("from", "A version")), needed(version("to", "Another one"))]];

pub const MEMORY_QUERY: Query = &[
    &[
        one_of("scope", memory::SCOPES, "Exact scope"),
        one_of("category", memory::CATEGORIES, "Exact category"),
        text("project_id", "Exact project"),
        text("session_id", "Exact session"),
        text("key", "Exact key"),
    ],
    PAGE,
    LIST,
];

pub const API_KEYS_QUERY: Query = &[&[text("user_id", "Exact user")], PAGE, LIST];

pub const MEMBERS_QUERY: Query = &[PAGE, LIST];
pub const DATASETS_QUERY: Query = &[&[text("name", "Exact name")], PAGE, LIST];

const DATASET_VERSION: &[Parameter] = &[version("version", "A version of the dataset; default: the current one")];

pub const DATASET_QUERY: Query = &[
    DATASET_VERSION,
    &[
        whole("limit", (0, 200, 50), "How many items"),
        text("cursor", "items_cursor of the page before: the same version goes on"),
    ],
];

pub const DATASET_ITEMS_QUERY: Query = &[
    DATASET_VERSION,
    &[
        whole("limit", (1, 200, 50), "How many"),
        text("cursor", "next_cursor of the page before: the same version goes on"),
    ],
];

pub const DATASET_ITEM_QUERY: Query = &[DATASET_VERSION];

pub const DATASET_ITEM_DELETION_QUERY: Query =
    &[&[one_of("erase", FLAG, "`true`: also what versions that had it show of it; `false` by default")]];

pub const DATASET_VERSIONS_QUERY: Query = &[PAGE];

pub const DATASET_EXPORT_QUERY: Query = &[
    DATASET_VERSION,
    &[one_of("format", &["jsonl", "csv"], "jsonl (default) or csv, whose cells are JSON, empty ones none")],
];

pub const COMMENTS_QUERY: Query = &[
    &[needed(form("trace_id", TRACE_ID, "On this trace")), form("span_id", SPAN_ID, "Only on this span of it")],
    PAGE,
    LIST,
];

pub const ASSIGNMENTS_QUERY: Query = &[
    &[
        one_of("status", collaboration::STATUSES, "Exact status"),
        form("trace_id", TRACE_ID, "Of this trace"),
        text("assignee_id", "To this member, `*`: to anyone; default: to you"),
    ],
    PAGE,
    LIST,
];

pub const NOTIFICATIONS_QUERY: Query = &[&[one_of("unread", FLAG, "`true`: only what is not read yet")], PAGE];

pub const AUDIT_QUERY: Query = &[&[
    time("from", "Writes at or after"),
    time("to", "Writes before"),
    one_of(
        "format",
        &["json", "csv"],
        "json (default) or csv (texts that begin like a formula, or with `'`, have a `'` before them)",
    ),
    whole("limit", (1, 10_000, 10_000), "How many, the oldest first"),
    text("actor", "Who: a user's id, or the pseudonym that stands for it"),
    text("type", "What: `skill.created`, all of a noun as `skill`, or an event's whole type"),
    text("subject", "Of what: a trace's id, or a resource as `skills/…`"),
    text("cursor", "next_cursor of the export before, which is also its header `x-retrace-next-cursor`"),
]];

pub const TRACE_DELETION_QUERY: Query =
    &[&[one_of("erase", &["tapes"], "Also all tapes of the trace, for ever; by default they stay")]];

pub const TAPES_QUERY: Query = &[PAGE, LIST];

pub const TAPE_STEPS_QUERY: Query =
    &[&[whole("from", (1, 10_000, 1), "The first step"), whole("limit", (1, 100, 20), "How many")]];

pub const TAPE_IMPORT_QUERY: Query = &[&[one_of("is_public", FLAG, "Whether it is listed; `false` by default")]];

pub const EXPLORE_QUERY: Query = &[&[
    one_of(
        "sort",
        &["trending", "newest", "popular"],
        "By views of the last 30 days, half as much for each three days of age (default); by age; by all views",
    ),
    form("tag", TAPE_TAG, "Tapes that have it"),
    one_of("featured", FLAG, "`true`: only those that the operator features; `false`: only the others"),
    whole("limit", (1, 200, 50), "How many"),
    whole("offset", (0, 10_000, 0), "How many before the page"),
]];
