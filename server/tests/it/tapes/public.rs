//! What everybody may see: views that count once, and the lists.

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use schemas::topics;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{BROWSER, TRACE, path, published, recorded};
use crate::harness::{Client, Retrace, eventually};

async fn open(client: &Client, tape: &Value, headers: &[(&str, &str)]) {
    client.with_key("").send(Method::GET, &path(tape), headers, None).await.expect(200);
}

async fn views(client: &Client, tape: &Value) -> i64 {
    client.get(&path(tape)).await.expect(200).json()["views"].as_i64().unwrap()
}

fn slugs(list: &Value) -> Vec<&str> {
    list["tapes"].as_array().unwrap().iter().map(|tape| tape["slug"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_counts_once_a_day_and_programs_never() {
    let retrace = Retrace::with(|settings| settings.trusted_proxies = "127.0.0.1".into()).await;
    let client = recorded(&retrace).await;
    let tape = published(client, json!({})).await;
    let from = |address: &'static str| [("user-agent", BROWSER), ("x-forwarded-for", address)];
    for headers in [
        &[("user-agent", "curl/8.5.0")][..],
        &[("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")],
        &[("user-agent", BROWSER), ("sec-purpose", "prefetch")],
        &[],
    ] {
        open(client, &tape, headers).await;
    }
    let head = reqwest::Client::new().head(format!("{}{}", client.base, path(&tape)));
    let head = head.header("user-agent", BROWSER).header("x-forwarded-for", "9.9.9.9").send().await.unwrap();
    assert_eq!(head.status(), StatusCode::OK);
    let everybody = ["1.1.1.1", "1.1.1.2", "1.1.1.1", "1.1.1.3", "1.1.1.2"];
    let viewed = &tape;
    join_all(everybody.map(|address| async move { open(client, viewed, &from(address)).await })).await;
    let other = format!("{BROWSER} Other");
    open(client, &tape, &[("user-agent", other.as_str()), ("x-forwarded-for", "1.1.1.1")]).await;
    eventually("the views", async || views(client, &tape).await == 4).await;
    retrace.settled().await;
    let told = retrace.log(topics::WORKSPACE).await;
    let kinds = told.iter().filter_map(|record| record.envelope.as_ref().ok()).map(|envelope| envelope.kind.as_str());
    assert_eq!(kinds.filter(|kind| *kind == "dev.retrace.tape.viewed.v1").count(), 4);

    // Another node, or this one once it has forgotten, tells it again: it counts once all the same.
    let retrace = retrace.restart().await;
    let client = &retrace.client;
    for address in everybody {
        open(client, &tape, &from(address)).await;
    }
    open(client, &tape, &from("1.1.1.4")).await;
    eventually("one more view", async || views(client, &tape).await == 5).await;
    retrace.assert_exact().await;
    retrace.rebuild_workspace().await;
    assert_eq!(views(client, &tape).await, 5);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_listed_is_explored_by_everybody() {
    let retrace = Retrace::with(|settings| settings.explore_cache_seconds = 0).await;
    let client = recorded(&retrace).await;
    let anybody = client.with_key("");
    let mut tapes = Vec::new();
    for n in 0..5 {
        let tags = if n % 2 == 0 { json!(["even", "all"]) } else { json!(["all"]) };
        tapes.push(published(client, json!({"title": format!("tape {n}"), "tags": tags, "is_public": n != 4})).await);
    }
    let slug = |n: usize| tapes[n]["slug"].as_str().unwrap();
    let explored = async |query: &str| anybody.get(&format!("/api/v1/tapes/explore?{query}")).await.expect(200).json();
    let newest = explored("sort=newest").await;
    assert_eq!((slugs(&newest), &newest["total"]), (vec![slug(3), slug(2), slug(1), slug(0)], &json!(4)));
    let own = client.get("/api/v1/tapes").await.expect(200).json();
    assert_eq!((slugs(&own).len(), &own["tapes"][0]["trace_id"]), (5, &json!(TRACE)));
    assert_eq!(slugs(&explored("sort=newest&limit=2&offset=1").await), [slug(2), slug(1)]);
    assert_eq!(slugs(&explored("sort=newest&tag=even").await), [slug(2), slug(0)]);
    assert_eq!(explored("tag=none").await["total"], 0);
    assert_eq!(
        slugs(&explored("").await),
        [slug(3), slug(2), slug(1), slug(0)],
        "without views the newest comes first"
    );

    // The unlisted one is there for whoever has its address.
    anybody.get(&path(&tapes[4])).await.expect(200);

    // By what was viewed when: the log says it, and the days are those of the events.
    let id = |n: usize| schemas::tapes::id(slug(n)).unwrap();
    let today = OffsetDateTime::now_utc().unix_timestamp().div_euclid(86_400);
    let view = async |n: usize, day: i64, viewer: u8| {
        let view = json!({"tenant": "local", "viewed": {"tape_id": id(n), "day": day, "viewer": vec![viewer; 16]}});
        let headers = [("x-retrace-internal", retrace.settings.secret.as_str())];
        let answer = client
            .send(Method::POST, "/api/v1/internal/tape-views", &headers, Some(view.to_string().into_bytes()))
            .await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    };
    for viewer in 0..5 {
        view(0, today - 12, viewer).await;
    }
    for viewer in 0..2 {
        view(1, today - 3, viewer).await;
    }
    view(2, today, 0).await;
    view(2, today, 1).await;
    retrace.settled().await;
    assert_eq!(slugs(&explored("sort=popular").await), [slug(0), slug(2), slug(1), slug(3)]);
    // Two of today, two of three days ago (one), five of twelve days ago (five sixteenths), none.
    assert_eq!(slugs(&explored("sort=trending").await), [slug(2), slug(1), slug(0), slug(3)]);

    let system_pool = runtime::postgres::pool(&retrace.settings).unwrap();
    let system = ingest::system::System { settings: &retrace.settings, pool: &system_pool };
    assert!(system.feature_tape(slug(1), true).await.unwrap().is_some());
    assert!(system.feature_tape("tape-00000000000000000000", true).await.unwrap().is_none());
    retrace.settled().await;
    assert_eq!(slugs(&explored("featured=true").await), [slug(1)]);
    assert_eq!(explored("featured=false").await["total"], 3);
    assert_eq!(anybody.get(&path(&tapes[1])).await.expect(200).json()["featured"], true);

    for query in ["sort=best", "limit=0", "limit=201", "offset=10001", "featured=yes", "tag=", "colour=red"] {
        anybody.get(&format!("/api/v1/tapes/explore?{query}")).await.expect(400);
    }
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ranking_is_kept_for_some_seconds_and_askers_are_limited_by_address() {
    let retrace = Retrace::with(|settings| {
        settings.explore_cache_seconds = 3_600;
        settings.trusted_proxies = "127.0.0.1".into();
    })
    .await;
    let client = recorded(&retrace).await;
    let first = published(client, json!({})).await;
    let explored = client.with_key("").get("/api/v1/tapes/explore").await.expect(200);
    assert_eq!(explored.headers["cache-control"], "public, max-age=3600");
    assert!(explored.headers.contains_key("ratelimit-limit"));
    published(client, json!({})).await;
    let again = client.with_key("").get("/api/v1/tapes/explore").await.expect(200);
    assert_eq!(slugs(&again.json()), [first["slug"].as_str().unwrap()]);

    let limited = Retrace::with(|settings| {
        settings.rate_read_per_minute = 1;
        settings.rate_read_burst = 2;
        settings.trusted_proxies = "127.0.0.1".into();
    })
    .await;
    let from = async |address: &str| {
        let client = limited.client.with_key("");
        client.send(Method::GET, "/api/v1/tapes/explore", &[("x-forwarded-for", address)], None).await.status.as_u16()
    };
    let asked = [from("1.1.1.1").await, from("1.1.1.1").await, from("1.1.1.1").await, from("1.1.1.2").await];
    assert_eq!(asked, [200, 200, 429, 200]);
}
