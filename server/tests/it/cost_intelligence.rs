//! `GET /analytics/cost-intelligence` on planted waste, whose worth is known, and on traffic without any.

use std::collections::BTreeMap;

use futures::StreamExt;
use schemas::Money;
use schemas::prices::{PriceBook, Rates, SHIPPED, Usage, hash};
use serde_json::{Value, json};
use traffic::{DAY, Shape, Trace, Traffic, Waste, rfc3339};

use crate::harness::{Client, Retrace};

const PATH: &str = "/api/v1/analytics/cost-intelligence";
/// Of each kind of waste.
const PLANTED: u64 = 200;
/// Waste is a saving within so many percent of the truth.
const OFF: f64 = 0.01;

fn now() -> i64 {
    (time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000) as i64
}

async fn record(client: &Client, traces: Vec<Trace>) {
    let posts = futures::stream::iter(traces).map(|trace| async move {
        client.post("/api/v1/traces", &serde_json::to_value(&trace).unwrap()).await.expect(201);
        if let Some(feedback) = &trace.feedback {
            let path = format!("/api/v1/traces/{}/feedback", trace.id);
            client.post(&path, &serde_json::to_value(feedback).unwrap()).await.expect(201);
        }
    });
    posts.buffer_unordered(16).for_each(|()| async {}).await;
}

fn clean(until: i64) -> Traffic {
    let shape = Shape {
        seed: 7,
        until,
        days: 20,
        traces: 1_500,
        projects: 3,
        names: 8,
        models: 6,
        incidents: 0,
        tag: "clean".to_owned(),
    };
    Traffic::with(shape, Vec::new())
}

struct Prices(PriceBook);

impl Prices {
    fn rates(&self, model: &str, input: i64) -> Rates {
        let (_, price) = self.0.price(&self.named(), model, now()).map(|(_, price)| ((), price)).unwrap();
        *price.rates(input)
    }

    fn named(&self) -> String {
        hash(SHIPPED)
    }
}

fn dollars(cost: Option<Money>) -> f64 {
    cost.unwrap().to_string().parse().unwrap()
}

/// What a kind of waste has cost too much, from what was planted.
fn truth(kind: Waste, traces: &[Trace], prices: &Prices) -> f64 {
    let calls = || traces.iter().flat_map(|trace| &trace.spans);
    let of = |span: &traffic::Span| Usage {
        input: span.input_tokens.map(|tokens| tokens as i64),
        output: span.output_tokens.map(|tokens| tokens as i64),
        ..Usage::default()
    };
    let cost = |span: &traffic::Span, rates: Rates| dollars(rates.cost(of(span)));
    let usual = prices.rates(kind.model(), 0);
    match kind {
        Waste::ModelDowngrade => {
            let cheaper = prices.rates("claude-sonnet-4-5", 0);
            calls().map(|span| cost(span, usual) - cost(span, cheaper)).sum()
        }
        Waste::PromptCaching => {
            let writes = Waste::bursts(PLANTED) as f64;
            let per_token = |more: Money, less: Money| dollars(Some(Money(more.0 - less.0))) / 1e6;
            let read = (PLANTED as f64 - writes) * per_token(usual.input, usual.cache_read);
            let written = writes * per_token(usual.cache_write, usual.input);
            Waste::instructions_tokens() * (read - written)
        }
        Waste::RetryWaste => calls().filter(|span| span.error.is_some()).map(|span| cost(span, usual)).sum(),
        Waste::LongContext => {
            let long = |span: &traffic::Span| prices.rates(kind.model(), span.input_tokens.unwrap() as i64);
            calls().map(|span| cost(span, long(span)) - cost(span, usual)).sum()
        }
        Waste::DuplicateCalls => {
            let all: f64 = calls().map(|span| cost(span, usual)).sum();
            all * (1.0 - Waste::different(PLANTED) as f64 / PLANTED as f64)
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_waste_is_found_for_what_it_is_worth_and_nothing_else() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let until = now();
    let traffic = clean(until);
    record(client, (0..traffic.traces()).map(|index| traffic.trace(index)).collect()).await;
    retrace.settled().await;
    let from = rfc3339(until - 20 * DAY);
    let path = format!("{PATH}?from={from}&to={}", rfc3339(until));
    let clean = client.get(&path).await.expect(200).json();
    assert_eq!(clean["recommendations"], json!([]), "{:#}", clean["recommendations"]);
    agrees_with_costs(client, &path, &clean).await;

    let mut planted: BTreeMap<&str, (Waste, Vec<Trace>)> = BTreeMap::new();
    for kind in Waste::ALL {
        let traces: Vec<Trace> = (0..PLANTED).map(|index| kind.trace(3, index, until - 15 * DAY, "planted")).collect();
        record(client, traces.clone()).await;
        planted.insert(kind.kind(), (kind, traces));
    }
    retrace.settled().await;
    let found = client.get(&path).await.expect(200).json();
    let recommendations = found["recommendations"].as_array().unwrap();
    let mut kinds: Vec<&str> = recommendations.iter().map(|found| found["type"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, planted.keys().copied().collect::<Vec<_>>(), "{recommendations:#?}");
    let prices = Prices(PriceBook::with_shipped().unwrap());
    for found in recommendations {
        let (kind, traces) = &planted[found["type"].as_str().unwrap()];
        let evidence = &found["evidence"];
        assert_eq!(
            (&evidence["feature"], &evidence["model"]),
            (&json!(kind.feature()), &json!(kind.model())),
            "{found:#}"
        );
        let of = |name: &str| evidence[name].as_f64().unwrap();
        let truth = truth(*kind, traces, &prices);
        let off = (of("savings_in_period") / truth - 1.0).abs();
        eprintln!("{}: {} of {truth:.4}, {:.3} % off", kind.kind(), of("savings_in_period"), off * 100.0);
        assert!(off <= OFF, "{truth} is the truth of {found:#}");
        recomputes(found, evidence);
        let ids: Vec<&str> = traces.iter().map(|trace| trace.id.as_str()).collect();
        let examples = evidence["example_trace_ids"].as_array().unwrap();
        assert!(!examples.is_empty() && examples.iter().all(|id| ids.contains(&id.as_str().unwrap())), "{found:#}");
    }
    agrees_with_costs(client, &path, &found).await;
    // What is asked for by a filter is found in what it leaves.
    let narrow = client.get(&format!("{path}&name={}", Waste::RetryWaste.feature())).await.expect(200).json();
    assert_eq!(narrow["recommendations"].as_array().unwrap().len(), 1);
    assert_eq!(narrow["byFeature"].as_array().unwrap().len(), 1);
    retrace.assert_exact().await;
}

/// By hand, from the evidence alone.
fn recomputes(found: &Value, evidence: &Value) {
    let of = |name: &str| evidence[name].as_f64().unwrap();
    let near = |one: f64, other: f64| (one - other).abs() <= 1e-9 * other.abs().max(1e-6);
    assert!(near(of("current_cost") - of("projected_cost"), of("savings_in_period")), "{found:#}");
    let monthly = of("savings_in_period") * 30.0 / of("period_days");
    assert!(near(monthly, of("savings_per_month")), "{found:#}");
    assert_eq!(found["potential_savings"], format!("${monthly:.2}/month"));
    let price =
        |place: usize, name: &str| evidence["prices"][place][format!("{name}_per_million")].as_f64().unwrap() / 1e6;
    let expected = match found["type"].as_str().unwrap() {
        "model_downgrade" => {
            of("input_tokens") * (price(0, "input") - price(1, "input"))
                + of("output_tokens") * (price(0, "output") - price(1, "output"))
        }
        "prompt_caching" => {
            of("cacheable_read_tokens") * (price(0, "input") - price(0, "cache_read"))
                - of("cacheable_write_tokens") * (price(0, "cache_write") - price(0, "input"))
        }
        "long_context" => {
            let tier = &evidence["prices"][0]["tiers"][0];
            assert_eq!(tier["above_input_tokens"], evidence["above_input_tokens"]);
            let tier = |name: &str| tier[format!("{name}_per_million")].as_f64().unwrap() / 1e6;
            of("input_tokens") * (tier("input") - price(0, "input"))
                + of("output_tokens") * (tier("output") - price(0, "output"))
        }
        _ => return,
    };
    assert!((expected / of("savings_in_period") - 1.0).abs() < 1e-6, "{expected} by hand, {found:#}");
}

/// The same money as everywhere else.
async fn agrees_with_costs(client: &Client, path: &str, found: &Value) {
    let query = path.split_once('?').unwrap().1;
    let costs =
        client.get(&format!("/api/v1/analytics/costs?{query}&group_by=name&limit=1000")).await.expect(200).json();
    let named: BTreeMap<&str, &Value> = costs["groups"]["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| (group["value"].as_str().unwrap(), group))
        .collect();
    let features = found["byFeature"].as_array().unwrap();
    assert_eq!(features.len(), named.len());
    for feature in features {
        let group = named[feature["name"].as_str().unwrap()];
        assert_eq!((&feature["totalCost"], &feature["count"]), (&group["cost"], &group["traces"]), "{feature}");
        let mean = feature["totalCost"].as_f64().unwrap() / feature["count"].as_f64().unwrap();
        assert!((feature["avgCost"].as_f64().unwrap() - mean).abs() < 1e-9, "{feature}");
        assert!(feature["avgDuration"].as_f64().unwrap() > 0.0, "{feature}");
    }
    let models: Vec<(&Value, &Value)> =
        costs["byModel"].as_array().unwrap().iter().map(|model| (&model["model"], &model["count"])).collect();
    let efficient: Vec<(&Value, &Value)> =
        found["modelEfficiency"].as_array().unwrap().iter().map(|model| (&model["model"], &model["count"])).collect();
    assert_eq!(efficient, models.into_iter().filter(|(model, _)| !model.is_null()).collect::<Vec<_>>());
}
