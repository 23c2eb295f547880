//! The pages of one tape, byte for byte. `UPDATE_GOLDEN=1 cargo test --release -p retrace-web` writes them anew.

#![expect(clippy::unwrap_used, reason = "a test, helpers included")]

use std::{fs, path::Path};

use retrace_web::{Contents, Figures, Step, Tape, card, embed_page, headers, missing_page, oembed, tape_page};

const HOSTILE: &str = "\u{202e}evil\u{202c} </script><script>alert(1)</script>";

fn step(span_type: &'static str, name: &'static str, start_micros: u64, duration_micros: Option<u64>) -> Step<'static> {
    Step {
        span_type,
        name,
        model: None,
        parent: None,
        start_micros,
        duration_micros,
        input_tokens: 0,
        output_tokens: 0,
        cost_micros: 0,
        failed: false,
    }
}

fn steps() -> Vec<Step<'static>> {
    let call = step("llm_call", "plan", 960_000, Some(1_840_000));
    let call = Step { model: Some("gpt-4o"), input_tokens: 812, output_tokens: 164, cost_micros: 3_670, ..call };
    vec![
        step("action", "research_agent", 0, Some(21_400_000)),
        Step { parent: Some(0), ..call },
        Step { parent: Some(0), failed: true, ..step("tool_call", HOSTILE, 2_850_000, Some(3_100_000)) },
        Step { parent: Some(0), ..step("reasoning", "", 6_000_000, None) },
    ]
}

fn contents() -> Vec<Contents<'static>> {
    vec![
        Contents { input: "{\"question\":\"<b>Which cities?</b>\"}", output: "", error: "" },
        Contents { input: "\"a text\\nof two lines\"", output: "{\"role\":\"assistant\"}", error: "" },
        Contents { input: "", output: "", error: "TimeoutError: \u{7}" },
    ]
}

/// `check` is given a tape of which only the fields named here matter to it.
fn with_tape<T>(title: &str, author: Option<&str>, check: impl FnOnce(&Tape<'_>) -> T) -> T {
    let (steps, contents) = (steps(), contents());
    check(&Tape {
        base_url: "https://tapes.example",
        slug: "which-cities-7k2m",
        title,
        note: "Watch the third search time out.\nThen compare the prompts.",
        author,
        tags: &["research".to_owned(), "<i>tag</i>".to_owned()],
        published_at: "2026-11-24T09:00:00Z",
        views: 1_284,
        is_public: true,
        figures: Figures {
            tokens: 976,
            cost_micros: 3_670,
            duration_micros: 21_400_000,
            models: &["gpt-4o".to_owned()],
        },
        steps: &steps,
        contents_from: 0,
        contents: &contents,
    })
}

/// The hash of the assets changes with each of them, and says nothing here.
fn without_hash(html: &str) -> String {
    let Some(at) = html.find("/assets/") else { return html.to_owned() };
    let hash = &html[at + "/assets/".len()..][..16];
    html.replace(hash, "HASH")
}

fn is_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let text = without_hash(text);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "{name}");
}

#[test]
fn the_page_of_a_tape() {
    let page = with_tape("Which cities cut car traffic?", Some("Mira \u{2067}L"), |tape| tape_page(tape).unwrap());
    assert_eq!(page.headers, headers::PAGE);
    is_golden("tape.html", &page.html);
}

#[test]
fn the_player_alone() {
    let page = with_tape(HOSTILE, None, |tape| embed_page(tape).unwrap());
    assert_eq!(page.headers, headers::EMBED);
    is_golden("embed.html", &page.html);
}

#[test]
fn no_tape() {
    is_golden("missing.html", &missing_page("https://tapes.example", false).unwrap().html);
}

#[test]
fn a_link_unfolds() {
    let answer =
        with_tape("Which cities?", Some("Mira"), |tape| oembed::Answer::new(tape, Some(480), None).json().unwrap());
    is_golden("oembed.json", &answer);
}

#[test]
fn nothing_of_a_tape_becomes_markup_and_nothing_is_inline() {
    let html = with_tape(HOSTILE, Some(HOSTILE), |tape| tape_page(tape).unwrap().html);
    assert!(!html.contains("<script>") && !html.contains('\u{202e}'), "{html}");
    assert!(!html.contains(" style=") && !html.contains(" onclick=") && !html.contains("<style"));
    let scripts = html.matches("<script").count();
    assert_eq!((scripts, html.matches(" src=\"/assets/").count()), (4, 3), "two modules, the theme, and the data");
}

#[test]
fn cards_are_pictures_of_the_tape() {
    let drawn = |title: &str| with_tape(title, Some("Mira Lindqvist"), |tape| card(tape).unwrap());
    let long = "A very long title that goes on and on ".repeat(9);
    let pictures =
        ["Which cities cut car traffic the most?", "ケーキの作り方", "", &long, "🎬 with an emoji"].map(drawn);
    for (i, picture) in pictures.iter().enumerate() {
        assert_eq!(picture[..8], *b"\x89PNG\r\n\x1a\n");
        assert_eq!(picture[16..24], [0, 0, 4, 176, 0, 0, 2, 118]);
        assert!(picture.len() < 120_000, "{}", picture.len());
        if let Some(folder) = std::env::var_os("CARDS") {
            fs::write(Path::new(&folder).join(format!("card-{i}.png")), picture).unwrap();
        }
    }
    assert_ne!(pictures[0], pictures[3]);
}
