//! The pages of a tape as browsers, and sites that unfold links, get them. `web/tests/player` looks at them in Chromium.

use std::collections::BTreeSet;

use serde_json::json;

use super::{BROWSER, TRACE, publish_after, trace};
use crate::harness::{Answer, Client, Retrace, eventually};

/// What a page says about itself, and whether it runs nothing but files of this server.
fn policy(headers: &reqwest::header::HeaderMap) -> &str {
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    policy
}

/// The texts within `name="…"`.
fn values<'a>(html: &'a str, name: &str) -> BTreeSet<&'a str> {
    let begins = format!("{name}=\"");
    html.split(begins.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

async fn browse(client: &Client, path: &str) -> Answer {
    client.with_key("").send(reqwest::Method::GET, path, &[("user-agent", BROWSER)], None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tape_has_a_page_and_a_player_that_any_site_may_frame() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let recorded = client.post("/api/v1/traces", &trace(TRACE)).await.expect(201).position();
    let body = json!({"trace_id": TRACE, "title": "<script>alert(1)</script> & co", "description": "A note"});
    let tape = publish_after(client, &recorded, body).await.expect(201).json();
    let slug = tape["slug"].as_str().unwrap();

    let page = browse(client, &format!("/t/{slug}")).await.expect(200);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert!(policy(&page.headers).ends_with("frame-ancestors 'none'"));
    assert_eq!(page.headers["x-frame-options"], "DENY");
    assert!(page.text.contains("&#60;script&#62;alert(1)") && !page.text.contains("<script>alert"), "{}", page.text);
    // Without scripts the steps are there to be read.
    assert!(page.text.contains("step 2") && page.text.contains("A note"), "{}", page.text);

    let embed = browse(client, &format!("/embed/{slug}")).await.expect(200);
    assert!(policy(&embed.headers).ends_with("frame-ancestors *"));
    assert!(!embed.headers.contains_key("x-frame-options"));

    let links = values(&page.text, "src").into_iter().chain(values(&page.text, "href"));
    let files: BTreeSet<&str> = links.filter(|link| link.starts_with("/assets/")).collect();
    assert!(files.len() > 5, "{files:?}");
    for file in files {
        let served = browse(client, file).await.expect(200);
        assert_eq!(served.headers["cache-control"], "public, max-age=31536000, immutable", "{file}");
        let kind = served.headers["content-type"].to_str().unwrap();
        assert!(["text/javascript", "text/css", "image/svg"].iter().any(|known| kind.starts_with(known)), "{file}");
    }
    browse(client, "/assets/0000000000000000/player/main.js").await.expect(404);

    let card = reqwest::get(format!("{}/t/{slug}/card.png", client.base)).await.unwrap();
    assert_eq!(card.headers()["content-type"], "image/png");
    let picture = card.bytes().await.unwrap();
    assert_eq!((&picture[..8], &picture[16..24]), (&b"\x89PNG\r\n\x1a\n"[..], &[0, 0, 4, 176, 0, 0, 2, 118][..]));

    let url = tape["url"].as_str().unwrap();
    let unfolded = browse(client, &format!("/oembed?url={url}&maxwidth=300&utm=x")).await.expect(200).json();
    assert_eq!((&unfolded["type"], &unfolded["width"]), (&json!("rich"), &json!(300)));
    assert!(unfolded["html"].as_str().unwrap().contains(tape["embed_url"].as_str().unwrap()), "{unfolded}");
    browse(client, &format!("/oembed?url={url}&format=xml")).await.expect(501);
    browse(client, "/oembed?url=https://elsewhere.example/t/x").await.expect(404);
    browse(client, "/oembed").await.expect(400);

    // Whoever has seen both has seen it once.
    let views = async || client.get(&format!("/api/v1/tapes/{slug}")).await.expect(200).json()["views"].clone();
    eventually("the view", async || views().await == 1).await;
    client.delete(&format!("/api/v1/tapes/{slug}")).await.expect(204);
    for path in [format!("/t/{slug}"), format!("/embed/{slug}"), "/t/nothing".to_owned()] {
        let missing = browse(client, &path).await.expect(404);
        assert!(missing.text.contains("No tape here"), "{}", missing.text);
        policy(&missing.headers);
    }
    retrace.assert_exact().await;
}
