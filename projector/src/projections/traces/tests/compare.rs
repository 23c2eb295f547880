//! What the store holds against what the log means, table by table.

use std::collections::BTreeMap;

use insights::calls;
use insights::failures::signature;
use insights::prompt_use::prompt_use;
use schemas::Money;
use schemas::events::{PayloadField, RootCause};
use verify::{CallView, Fold, Texts, TraceView};

use super::super::rows::TraceModelRow;
use super::history::{PARTITION, TENANTS, TRACES};
use super::memory::Tables;

const TEXTS: Texts = Texts {
    signature,
    prompt: |input| {
        let prompt = calls::prompt(input);
        (prompt.hash, prompt.length, prompt.heads.iter().map(|head| (head.hash, head.length)).collect())
    },
    parameters: calls::parameters,
    call: calls::call,
    prompt_use: |metadata| prompt_use(metadata).map(|used| (used.prompt, used.version)),
};

type Lines = BTreeMap<String, String>;

/// The first difference, if there is one.
pub fn difference(tables: &Tables, fold: &Fold) -> Option<String> {
    let (mut expected, mut counts): (Lines, BTreeMap<String, Vec<i128>>) = (Lines::new(), BTreeMap::new());
    for tenant in TENANTS {
        for trace in TRACES {
            for (day, used) in verify::usage_of(fold, tenant, trace, None) {
                add(&mut counts, format!("usage {tenant}/{day}/{PARTITION}"), used.totals());
            }
            if let Some(view) = fold.trace(tenant, trace).visible() {
                expect(&mut expected, &mut counts, tenant, view);
            }
        }
    }
    expected.extend(counts.into_iter().map(|(key, totals)| (key, format!("{totals:?}"))));
    let found = found(tables);
    let keys = expected.keys().chain(found.keys());
    let different = |key: &&String| expected.get(*key) != found.get(*key);
    keys.clone()
        .find(different)
        .map(|key| format!("{key}: expected {:?}, found {:?}", expected.get(key), found.get(key)))
}

/// At any instant every row of a trace is the whole fold of its events up to the row's version.
pub fn not_a_fold(tables: &Tables, fold: &Fold) -> Option<String> {
    tables.traces.values().find_map(|row| {
        let state = fold.trace_at(&row.tenant, &row.trace_id, Some(row.version as i64));
        let view = state.visible();
        let expected =
            view.map(|view| (view.spans.len() as u64, view.total_tokens, view.total_cost.0, view.started_at));
        let found = (row.is_deleted == 0)
            .then(|| (row.span_count, i128::from(row.total_tokens()), row.total_cost(), row.started_at));
        let place = format!("trace {}/{} at {}", row.tenant, row.trace_id, row.version);
        (expected != found).then(|| format!("{place}: expected {expected:?}, found {found:?}"))
    })
}

fn expect(lines: &mut Lines, counts: &mut BTreeMap<String, Vec<i128>>, tenant: &str, view: &TraceView) {
    let id = format!("{tenant}/{}", view.id);
    let name = view.name.clone().unwrap_or_default();
    let status = view.status.as_str();
    let own = format!(
        "{status} {name} {:?} {} {:?} {:?} {:?} {:?} {} {} {:?} {:?} {:?} {:?} {}",
        view.own_started_at,
        view.started_at,
        view.ended_at,
        view.project_id,
        view.environment,
        view.tags,
        view.lossy,
        view.golden,
        view.warnings,
        view.merged_duration_us,
        view.merged_tokens,
        view.merged_cost.map(|money| money.0),
        view.received_at,
    );
    let sums = format!(
        "{} {} {} {} {} {:?}",
        view.spans.len(),
        view.token_spans,
        view.cost_spans,
        view.span_tokens,
        view.span_cost.0,
        view.models
    );
    lines.insert(format!("trace {id}"), format!("{own} {sums}"));
    let failure = view.failure(signature);
    lines.insert(format!("failure {id}"), failure.clone());
    let listed = format!(
        "{status} {name} {} {} {} {}",
        view.total_tokens,
        view.total_cost.0,
        view.total_duration_us.unwrap_or(0),
        if status == "failed" { failure.as_str() } else { "" }
    );
    lines.insert(format!("list {tenant}/{}/{}", view.started_at, view.id), listed);
    let (project, environment) =
        (view.project_id.clone().unwrap_or_default(), view.environment.clone().unwrap_or_default());
    let day = view.started_at / 86_400_000_000;
    let mut add = |key: String, values: Vec<i128>| add(counts, key, values);
    add(
        format!("count {tenant}/{day}/{project}/{environment}/{status}/{PARTITION}"),
        vec![1, view.spans.len() as i128, view.total_tokens, view.total_cost.0],
    );
    for (place, (model, used)) in view.by_model().iter().enumerate() {
        let counted = [
            i128::from(place == 0),
            used.calls,
            used.unpriced_calls,
            used.input_tokens,
            used.output_tokens,
            used.cache_read_tokens,
            used.cache_write_tokens,
            used.reasoning_tokens,
            used.timed_calls,
            used.duration_us,
            used.tokens,
        ];
        let values: Vec<i128> = counted.into_iter().chain([used.cost.0]).collect();
        let key = format!("model {tenant}/{}/{}/{model}", view.started_at, view.id);
        let of_trace = format!("{name} {:?} {:?} {:?}", view.project_id, view.environment, view.tags);
        let each: Vec<String> = view.calls(model, TEXTS).iter().map(|call| format!("{call:?}")).collect();
        lines.insert(key, format!("{of_trace} {values:?} {each:?}"));
        let (project, model) = (project.as_str(), model.as_str());
        for (cube, grain, project, model) in [
            (0, 86_400, "", ""),
            (0, 900, "", ""),
            (1, 86_400, project, ""),
            (1, 900, project, ""),
            (2, 86_400, "", model),
            (3, 86_400, project, model),
        ] {
            let start = view.started_at / 1_000_000 / grain * grain;
            let key = format!("costs {tenant}/{cube}/{grain}/{project}/{model}/{start}/{environment}/{PARTITION}");
            add(key, values.iter().copied().chain([1]).collect());
        }
    }
    for ((prompt, version), used) in view.prompt_uses(TEXTS) {
        add(format!("prompt {tenant}/{prompt}/{version}/{PARTITION}"), used.totals());
    }
    if let Some(root_cause) = &view.root_cause {
        lines.insert(format!("cell {id}//{}", RootCause::FIELD), root_cause.clone());
    }
    for (field, value) in &view.cells {
        lines.insert(cell_key(&id, "", *field), value.clone());
    }
    for span in &view.spans {
        let kind = span.span_type.map_or("", |kind| kind.as_str());
        let line = format!(
            "{kind} {} {:?} {:?} {:?} {:?} {:?} {:?} {} {} {:?} {:?} {}",
            span.name.clone().unwrap_or_default(),
            span.model,
            span.started_at,
            span.merged_duration_us,
            span.input_tokens,
            span.output_tokens,
            span.cost.map(|money| money.0),
            span.cost_source.unwrap_or_default(),
            span.price_table,
            span.prompt(TEXTS),
            (span.parameters(TEXTS), span.prompt_use(TEXTS)),
            span.failed,
        );
        lines.insert(format!("span {id}/{}", span.id), line);
        for (field, value) in &span.cells {
            lines.insert(cell_key(&id, &span.id, *field), value.clone());
        }
    }
    for (user, verdict) in &view.feedback {
        let line = format!("{} {:?} {} {}", verdict.value, verdict.note, verdict.created_at, verdict.updated_at);
        lines.insert(format!("feedback {id}/{user}"), line);
    }
}

fn add(counts: &mut BTreeMap<String, Vec<i128>>, key: String, values: Vec<i128>) {
    let totals = counts.entry(key).or_insert_with(|| vec![0; values.len()]);
    for (total, value) in totals.iter_mut().zip(values) {
        *total += value;
    }
}

fn call(row: &TraceModelRow, place: usize) -> CallView {
    CallView {
        started_at: row.call_started_at[place],
        failed: row.call_failed[place] == 1,
        input_tokens: row.call_input_tokens[place],
        output_tokens: row.call_output_tokens[place],
        cache_read_tokens: row.call_cache_read_tokens[place],
        cost: Money(row.call_cost[place]),
        hash: row.call_hash[place],
        heads: pairs(&row.call_heads[place], &row.call_head_tokens[place]),
    }
}

fn pairs(hashes: &[u64], sizes: &[u32]) -> Vec<(u64, u32)> {
    hashes.iter().copied().zip(sizes.iter().copied()).collect()
}

fn cell_key(id: &str, span: &str, field: PayloadField) -> String {
    format!("cell {id}/{span}/{}", field.as_str())
}

/// What the rows of traces by model and their totals count alike.
macro_rules! counted {
    ($row:ident) => {
        [
            $row.traces,
            $row.calls,
            $row.unpriced_calls,
            $row.input_tokens,
            $row.output_tokens,
            $row.cache_read_tokens,
            $row.cache_write_tokens,
            $row.reasoning_tokens,
            $row.timed_calls,
            $row.duration_us,
            $row.tokens,
        ]
        .map(i128::from)
    };
}

fn found(tables: &Tables) -> Lines {
    let mut lines = Lines::new();
    for row in tables.traces.values().filter(|row| row.is_deleted == 0) {
        let own = format!(
            "{} {} {:?} {} {:?} {:?} {:?} {:?} {} {} {:?} {:?} {:?} {:?} {}",
            row.status,
            row.name,
            row.own_started_at,
            row.started_at,
            row.ended_at,
            row.project_id,
            row.environment,
            row.tags,
            row.lossy == 1,
            row.golden == 1,
            row.warnings,
            row.reported_duration_us,
            row.reported_tokens,
            row.reported_cost,
            row.received_at,
        );
        let sums = format!(
            "{} {} {} {} {} {:?}",
            row.span_count, row.token_spans, row.cost_spans, row.tokens, row.cost, row.models
        );
        lines.insert(format!("trace {}/{}", row.tenant, row.trace_id), format!("{own} {sums}"));
        lines.insert(format!("failure {}/{}", row.tenant, row.trace_id), row.failure.clone());
    }
    for row in tables.list.values().filter(|row| row.is_deleted == 0) {
        let line = format!(
            "{} {} {} {} {} {}",
            row.status, row.name, row.total_tokens, row.total_cost, row.total_duration_us, row.failure
        );
        lines.insert(format!("list {}/{}/{}", row.tenant, row.started_at, row.trace_id), line);
    }
    for row in tables.counts.values() {
        let totals = [i128::from(row.traces), i128::from(row.spans), i128::from(row.tokens), row.cost];
        if totals != [0; 4] {
            let key = format!(
                "count {}/{}/{}/{}/{}/{}",
                row.tenant, row.day, row.project_id, row.environment, row.status, row.partition
            );
            lines.insert(key, format!("{totals:?}"));
        }
    }
    for row in tables.usage.values() {
        let totals = [row.traces, row.spans, row.tokens].map(i128::from).into_iter();
        let totals: Vec<i128> = totals.chain([row.cost, row.ai_requests.into()]).collect();
        if totals.iter().any(|value| *value != 0) {
            lines.insert(format!("usage {}/{}/{}", row.tenant, row.day, row.partition), format!("{totals:?}"));
        }
    }
    for row in tables.prompt_uses.values() {
        let totals = [row.calls, row.failed, row.tokens].map(i128::from).into_iter();
        let totals: Vec<i128> = totals.chain([row.cost]).collect();
        if totals.iter().any(|value| *value != 0) {
            let key = format!("prompt {}/{}/{}/{}", row.tenant, row.prompt, row.prompt_version, row.partition);
            lines.insert(key, format!("{totals:?}"));
        }
    }
    for row in tables.models.values().filter(|row| row.is_deleted == 0) {
        let values: Vec<i128> = counted!(row).into_iter().chain([row.cost]).collect();
        let each: Vec<String> = (0..row.call_hash.len()).map(|place| format!("{:?}", call(row, place))).collect();
        let of_trace = format!("{} {:?} {:?} {:?}", row.name, row.project_id, row.environment, row.tags);
        let line = format!("{of_trace} {values:?} {each:?}");
        lines.insert(format!("model {}/{}/{}/{}", row.tenant, row.started_at, row.trace_id, row.model), line);
    }
    for row in tables.cost_totals.values() {
        let values: Vec<i128> = counted!(row).into_iter().chain([row.cost, row.uses.into()]).collect();
        if values.iter().any(|value| *value != 0) {
            let (tenant, project, environment) = (&row.tenant, &row.project_id, &row.environment);
            let (cube, grain, start, model, partition) = (row.cube, row.grain, row.start, &row.model, row.partition);
            let key = format!("costs {tenant}/{cube}/{grain}/{project}/{model}/{start}/{environment}/{partition}");
            lines.insert(key, format!("{values:?}"));
        }
    }
    for row in tables.spans.values().filter(|row| row.is_deleted == 0) {
        let line = format!(
            "{} {} {:?} {:?} {:?} {:?} {:?} {:?} {} {} {:?} {:?} {}",
            row.span_type,
            row.name,
            row.model,
            row.started_at,
            row.duration_us,
            row.input_tokens,
            row.output_tokens,
            row.cost,
            row.cost_source,
            row.price_table,
            (row.prompt_hash, row.prompt_length, pairs(&row.head_hashes, &row.head_lengths)),
            (row.parameters_hash, (row.used_prompt, row.used_prompt_version)),
            row.failed == 1,
        );
        lines.insert(format!("span {}/{}/{}", row.tenant, row.trace_id, row.span_id), line);
    }
    // Payloads of a deleted trace are not read, and go with its erasure.
    let visible = |tenant: &str, trace: &str| {
        tables.traces.get(&(tenant.to_owned(), trace.to_owned())).is_some_and(|row| row.is_deleted == 0)
    };
    for row in tables.cells.values().filter(|row| visible(&row.tenant, &row.trace_id)) {
        lines.insert(format!("cell {}/{}/{}/{}", row.tenant, row.trace_id, row.span_id, row.field), row.value.clone());
    }
    for row in tables.feedback.values().filter(|row| row.is_deleted == 0) {
        let line = format!("{} {:?} {} {}", row.value, row.note, row.created_at, row.updated_at);
        lines.insert(format!("feedback {}/{}/{}", row.tenant, row.trace_id, row.user_id), line);
    }
    lines
}
