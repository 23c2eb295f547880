//! The one `SELECT` of an export. Every table in it is read in the order of its key, and nothing is sorted or gathered but
//! what belongs to one trace: ClickHouse's memory does not grow with the export.
//!
//! A row, its payloads and the pieces of large ones come as rows of a union, in the order of (trace, span). A window over
//! those of one id, of which only the row itself sees the others, puts them together.

use clickhouse::query::Query;

use super::columns::{Kind, Of};
use crate::stores::AsOf;
use crate::trace_filters::Filters;

/// Blocks are counted in rows, and rows with payloads are wide.
const ROWS_A_BLOCK: &str = "8192";
const WIDE_ROWS_A_BLOCK: &str = "256";
/// A piece has up to 600 KiB.
const PIECES_A_BLOCK: u32 = 8;

/// An export may take an hour: there are no more rows in it than ClickHouse had when it began, and whoever reads slowly
/// holds its snapshot.
const SECONDS: &str = "3600";

const SETTINGS: &[(&str, &str)] = &[
    ("max_execution_time", SECONDS),
    // Beyond a thread the parts of an ordered read only wait for each other, with their blocks.
    ("max_threads", "1"),
    ("read_in_order_use_buffering", "0"),
    // Windows over what is in order already need no sorting.
    ("optimize_read_in_window_order", "1"),
    ("query_plan_reuse_storage_ordering_for_window_functions", "1"),
    // The join of pieces with what they belong to keeps the order of the pieces.
    ("join_algorithm", "hash"),
    ("query_plan_join_swap_table", "false"),
    ("enable_join_runtime_filters", "0"),
    ("max_bytes_before_external_join", "0"),
    ("max_bytes_ratio_before_external_join", "0"),
    // Of one statement: the embedded engine counts what it has handed out as if it were still there. That of the whole
    // server holds.
    ("max_memory_usage", "0"),
    // A file is written by groups of rows, each of which is in memory at once.
    ("output_format_parquet_row_group_size_bytes", "16777216"),
];

pub fn query(kind: &Kind, at: &AsOf, filters: &Filters, payloads: bool, absent: bool) -> Query {
    let sql = sql(kind, at, filters, payloads, absent);
    let rows = if payloads { WIDE_ROWS_A_BLOCK } else { ROWS_A_BLOCK };
    let query = filters.bind(at.query(&sql)).with_setting("max_block_size", rows);
    SETTINGS.iter().fold(query, |query, (name, value)| query.with_setting(*name, *value))
}

/// `absent`: payloads that are left out are columns of nulls.
fn sql(kind: &Kind, at: &AsOf, filters: &Filters, payloads: bool, absent: bool) -> String {
    let parts = Parts { kind, at, filters };
    let mut tables = vec![kind.table];
    tables.extend((!filters.is_empty()).then_some("trace_list"));
    tables.extend(payloads.then_some("cells"));
    let (with, columns, is_whole) = (parts.with(), parts.columns(payloads, absent), at.not_overtaken(&tables));
    if payloads {
        let gathered = parts.gathered();
        format!(
            "{with}SELECT {columns} FROM ({gathered}) \
             WHERE place = 1 AND throwIf(missing != 0, 'pieces of a payload are missing') = 0 AND {is_whole}"
        )
    } else {
        let (rows, selected) = (parts.rows(""), parts.selected("AND"));
        format!("{with}SELECT {columns} FROM ({rows}) WHERE {is_whole}{selected} ORDER BY trace_id, span_id")
    }
}

struct Parts<'a> {
    kind: &'a Kind,
    at: &'a AsOf,
    filters: &'a Filters,
}

impl Parts<'_> {
    /// The ids of the traces that the filters select.
    fn with(&self) -> String {
        if self.filters.is_empty() {
            return String::new();
        }
        let (list, condition) = (self.at.rows("trace_list"), self.filters.condition());
        format!("WITH selected AS (SELECT trace_id FROM {list} WHERE {condition}) ")
    }

    /// ClickHouse brings this from outside a union into its parts, and so keeps the ids in memory once for all of them.
    fn selected(&self, before: &str) -> String {
        if self.filters.is_empty() { String::new() } else { format!(" {before} trace_id IN selected") }
    }

    fn columns(&self, payloads: bool, absent: bool) -> String {
        let columns = self.kind.columns(payloads || absent).map(|column| match &column.of {
            Of::Row(..) => column.name.to_owned(),
            Of::TraceId => format!("trace_id AS {}", column.name),
            Of::Json | Of::Text if payloads => format!(
                "if(empty({0}_pieces), NULL, arrayStringConcat(arrayMap(piece -> piece.2, arraySort({0}_pieces)))) AS {0}",
                column.name
            ),
            Of::Json | Of::Text => format!("CAST(NULL, 'Nullable(String)') AS {}", column.name),
        });
        columns.collect::<Vec<_>>().join(", ")
    }

    /// The table's rows.
    fn rows(&self, more: &str) -> String {
        let columns = self.kind.columns.iter().filter_map(|column| match column.of {
            Of::Row(expression, _) => Some(format!("{expression} AS {}", column.name)),
            _ => None,
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        let (table, span_id) = (self.at.rows(self.kind.table), self.kind.span_id);
        format!("SELECT trace_id, {span_id} AS span_id, {columns}{more} FROM {table}")
    }

    /// What stands for the table's columns in rows of payloads.
    fn no_columns(&self) -> String {
        let columns = self.kind.columns.iter().filter_map(|column| match column.of {
            Of::Row(_, absent) => Some(format!("{absent} AS {}", column.name)),
            _ => None,
        });
        columns.collect::<Vec<_>>().join(", ")
    }

    /// Rows, and of each of their payloads the numbered pieces.
    fn gathered(&self) -> String {
        let names = |of: fn(&Of) -> bool| self.kind.columns.iter().filter(move |column| of(&column.of));
        let kept: Vec<&str> = names(|of| matches!(of, Of::Row(..))).map(|column| column.name).collect();
        let pieces: Vec<String> = names(|of| matches!(of, Of::Json | Of::Text))
            .map(|column| format!("groupArrayIf((n, value), field = '{0}') OVER others AS {0}_pieces", column.name))
            .collect();
        format!(
            "SELECT trace_id, span_id, {}, {}, place, sum(pieces) OVER others AS missing \
             FROM ({} UNION ALL {} UNION ALL {}){} WINDOW others AS (PARTITION BY trace_id, span_id ORDER BY place RANGE BETWEEN 1 PRECEDING AND 1 PRECEDING)",
            kept.join(", "),
            pieces.join(", "),
            self.rows(", '' AS field, toUInt32(0) AS n, '' AS value, toInt32(0) AS pieces, toUInt8(1) AS place"),
            self.values(),
            self.pieces(),
            self.selected("WHERE")
        )
    }

    /// Payloads; a large one is empty here.
    fn values(&self) -> String {
        let (table, cells) = (self.at.rows("cells"), self.kind.cells);
        format!(
            "SELECT trace_id, span_id, {}, toString(field) AS field, toUInt32(0) AS n, value, toInt32(chunks) AS pieces, \
             toUInt8(0) AS place FROM {table} AND {cells}",
            self.no_columns()
        )
    }

    /// The pieces of large payloads. An inner join would not keep their order.
    fn pieces(&self) -> String {
        let (chunks, cells, selected) = (self.at.any_rows("chunks"), self.at.rows("cells"), self.selected("AND"));
        format!(
            "SELECT chunk.trace_id AS trace_id, cell.span_id AS span_id, {}, cell.field AS field, \
             toUInt32(chunk.n) + 1 AS n, chunk.data AS value, toInt32(if(cell.field = '', 0, -1)) AS pieces, \
             toUInt8(0) AS place \
             FROM (SELECT trace_id, sha256, n, data FROM {chunks} SETTINGS max_block_size = {PIECES_A_BLOCK}) AS chunk \
             LEFT JOIN (SELECT trace_id, sha256, span_id, toString(field) AS field FROM {cells} AND {}{selected} WHERE chunks > 0) AS cell \
             ON chunk.trace_id = cell.trace_id AND chunk.sha256 = cell.sha256",
            self.no_columns(),
            self.kind.cells
        )
    }
}
