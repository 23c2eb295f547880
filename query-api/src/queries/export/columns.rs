//! The columns of the files, named and ordered as the fields of the API's traces and spans.

pub struct Column {
    pub name: &'static str,
    pub of: Of,
}

pub enum Of {
    /// An expression over the table, and a constant of its type.
    Row(&'static str, &'static str),
    /// The trace's id.
    TraceId,
    /// A payload that is JSON.
    Json,
    /// A payload that is text.
    Text,
}

/// What is exported.
pub struct Kind {
    pub name: &'static str,
    pub table: &'static str,
    /// The id within its trace: of a trace itself the empty one, under which its payloads are kept.
    pub span_id: &'static str,
    /// Which cells are its payloads.
    pub cells: &'static str,
    pub columns: &'static [Column],
}

impl Kind {
    pub fn columns(&self, payloads: bool) -> impl Iterator<Item = &'static Column> {
        self.columns.iter().filter(move |column| payloads || !column.is_payload())
    }
}

impl Column {
    pub fn is_payload(&self) -> bool {
        matches!(self.of, Of::Json | Of::Text)
    }
}

const fn row(name: &'static str, expression: &'static str, absent: &'static str) -> Column {
    Column { name, of: Of::Row(expression, absent) }
}

const fn plain(name: &'static str, absent: &'static str) -> Column {
    row(name, name, absent)
}

const fn json(name: &'static str) -> Column {
    Column { name, of: Of::Json }
}

const NO_TIME: &str = "toDateTime64(0, 6, 'UTC')";
const NO_MONEY: &str = "toDecimal128(0, 12)";

/// Derived as docs/SEMANTICS.md says.
pub const TRACES: Kind = Kind {
    name: "traces",
    table: "traces",
    span_id: "''",
    cells: "span_id = ''",
    columns: &[
        Column { name: "id", of: Of::TraceId },
        plain("name", "''"),
        row("status", "toString(status)", "''"),
        json("input"),
        json("output"),
        Column { name: "error", of: Of::Text },
        json("metadata"),
        plain("session_id", "NULL"),
        plain("user_id", "NULL"),
        plain("project_id", "NULL"),
        plain("environment", "NULL"),
        plain("tags", "[]"),
        plain("started_at", NO_TIME),
        plain("ended_at", "NULL"),
        row("total_tokens", "if(token_spans > 0, tokens, ifNull(reported_tokens, 0))", "0"),
        row("total_cost", "if(cost_spans > 0, cost, ifNull(reported_cost, toDecimal128(0, 12)))", NO_MONEY),
        row(
            "total_duration_ms",
            "CAST(ifNull(reported_duration_us, toUnixTimestamp64Micro(ended_at) - toUnixTimestamp64Micro(started_at)), \
             'Nullable(Decimal(38, 3))') / 1000",
            "NULL",
        ),
        row("reported_total_tokens", "if(token_spans > 0, reported_tokens, NULL)", "NULL"),
        row("reported_total_cost", "if(cost_spans > 0, reported_cost, NULL)", "NULL"),
        plain("span_count", "0"),
        plain("models", "[]"),
        row("lossy", "toBool(lossy)", "false"),
        row("golden", "toBool(golden)", "false"),
        plain("warnings", "[]"),
    ],
};

pub const SPANS: Kind = Kind {
    name: "spans",
    table: "spans",
    span_id: "span_id",
    cells: "span_id != ''",
    columns: &[
        row("id", "span_id", "''"),
        Column { name: "trace_id", of: Of::TraceId },
        plain("parent_id", "NULL"),
        row("span_type", "toString(span_type)", "''"),
        plain("name", "''"),
        plain("model", "NULL"),
        json("input"),
        json("output"),
        plain("input_tokens", "NULL"),
        plain("output_tokens", "NULL"),
        plain("cache_read_tokens", "NULL"),
        plain("cache_write_tokens", "NULL"),
        plain("reasoning_tokens", "NULL"),
        plain("cost", "NULL"),
        row("cost_source", "if(isNull(cost), NULL, toString(cost_source))", "NULL"),
        row(
            "duration_ms",
            "CAST(ifNull(duration_us, toUnixTimestamp64Micro(ended_at) - toUnixTimestamp64Micro(started_at)), \
             'Nullable(Decimal(38, 3))') / 1000",
            "NULL",
        ),
        plain("started_at", "NULL"),
        plain("ended_at", "NULL"),
        Column { name: "error", of: Of::Text },
        json("metadata"),
        plain("agent_id", "NULL"),
        plain("parent_agent_id", "NULL"),
        plain("agent_role", "NULL"),
        json("token_ids"),
        json("logprobs"),
    ],
};
