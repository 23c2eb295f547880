//! Signatures and clusters of failures' texts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use retrace_insights::failures::{Cluster, clusters, signature};

#[test]
fn a_signature_keeps_words_and_masks_values() {
    let cases = [
        (
            "Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4o in organization org-a1 on tokens per min (TPM): Limit 30000, Used 29011, Requested 2087. Please try again in 2.196s.', 'type': 'tokens', 'param': None, 'code': 'rate_limit_exceeded'}}",
            "Error code: 429 - tokens rate_limit_exceeded Rate limit reached for <id> in organization <id> on tokens per min (TPM): Limit <num>, Used <num>, Requested <num>. Please try again in <num>.",
        ),
        (
            "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}",
            "error Overloaded",
        ),
        (
            "HTTP 503: upstream https://api.example.com/v1/chat?id=7 timed out after 30 seconds",
            "HTTP 503: upstream <url> timed out after <num>",
        ),
        ("HTTP status 404", "HTTP status 404"),
        ("read 404 bytes", "read <num>"),
        ("can't open '/srv/data/a b.txt': No such file", "can't open <str>: No such file"),
        ("no such file: /srv/data/a.txt", "no such file: <path>"),
        ("user 3f2b8a90-0d4c-4a53-9d0e-3f6a5f1f7a01 not found", "user <id> not found"),
        ("connect to db.internal.example:5432 (10.0.0.7) failed", "connect to <id> failed"),
        ("expected utf-8, got \"\\xff\"", "expected utf-8, got <str>"),
        ("{\"a\": 1} is not a list", "<json> is not a list"),
        ("values 1, 2, 3 and 4", "values <num> and <num>"),
        ("at Sun Jun 18 02:08:12 2005", "at <time>"),
        ("\"GET /v1/traces/7\" failed", "\"GET <path>\" failed"),
        ("", ""),
        ("Überlauf im Puffer 7 – Größe 9", "Überlauf im Puffer <num> – Größe <num>"),
    ];
    for (text, expected) in cases {
        assert_eq!(signature(text), expected, "of {text}");
    }
}

#[test]
fn a_stack_is_not_part_of_a_signature() {
    let python = "Traceback (most recent call last):\n  File \"/app/agent.py\", line 12, in run\n    call(x)\n    ^^^^^^^\n  File \"/app/tool.py\", line 7, in call\n    raise ValueError(x)\nValueError: bad id 17";
    assert_eq!(signature(python), "ValueError: bad id <num>");
    let java = "java.lang.IllegalStateException: queue 7 is full\n\tat com.acme.Queue.put(Queue.java:17)\n\tat com.acme.Main.main(Main.java:3)\n\t... 12 more";
    assert_eq!(signature(java), "java.lang.IllegalStateException: queue <num> is full");
    let node = "TypeError: Cannot read properties of undefined (reading 'id')\n    at call (/app/tool.js:7:11)\n    at async run (/app/agent.js:12:3)";
    assert_eq!(signature(node), "TypeError: Cannot read properties of undefined (reading <str>)");
    assert_eq!(signature("    at call (/app/tool.js:7:11)\n"), "at call (<path>)");
}

#[test]
fn signatures_that_differ_in_values_are_one_pattern() {
    let patterns = |texts: &[&str]| clusters(texts).into_iter().map(|cluster| cluster.pattern).collect::<Vec<_>>();
    assert_eq!(
        patterns(&["tool search_web failed", "tool readFile failed", "tool run.query failed"]),
        ["tool <*> failed"]
    );
    assert_eq!(
        patterns(&["invalid user anna from <num>", "invalid user bert from <num>", "invalid user carl from <num>"]),
        ["invalid user <*> from <num>"]
    );
    // A verb, a state and a status are what happened.
    assert_eq!(patterns(&["connection refused", "connection closed"]), ["connection closed", "connection refused"]);
    assert_eq!(patterns(&["job is FAILED", "job is LOST"]), ["job is FAILED", "job is LOST"]);
    assert_eq!(
        patterns(&["Error code: 429", "Error code: 500", "Error code: 503"]),
        ["Error code: 429", "Error code: 500", "Error code: 503"]
    );
}

#[test]
fn a_hostile_text_takes_linear_time() {
    for unit in ["{", "'", "1/", "<1", "(1)", "a:", "\"a", "{'", "1,", "Mon ", "\n at x"] {
        let text = unit.repeat(200_000);
        let started = std::time::Instant::now();
        let signature = signature(&text);
        assert!(started.elapsed().as_millis() < 500, "{unit:?} took {:?}", started.elapsed());
        assert!(signature.len() <= 4096 + 160, "{unit:?} gives {} bytes", signature.len());
    }
}

/// Found by the property below: the first signature's spaces were the pattern's.
#[test]
fn spaces_do_not_depend_on_the_order() {
    let patterns = |signatures: &[&str]| -> Vec<String> {
        clusters(signatures).into_iter().map(|cluster| cluster.pattern).collect()
    };
    assert_eq!(patterns(&["<num> '", "<num>'"]), patterns(&["<num>'", "<num> '"]));
}

fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("failed".to_owned()),
        Just("tool".to_owned()),
        Just("timeout".to_owned()),
        Just("'".to_owned()),
        Just("{\"code\":".to_owned()),
        Just("}".to_owned()),
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just("<num>".to_owned()),
        Just("\n  at x".to_owned()),
        "[a-z]{1,4}",
        "[0-9]{1,5}",
        "[A-Z_]{2,6}",
        "[a-zA-Z0-9:/.=<>{}'\"_-]{1,8}",
        "\\PC{1,3}",
    ];
    proptest::collection::vec(word, 0..12).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn any_text_has_a_signature(text in "(?s).{0,400}") {
        prop_assert!(signature(&text).len() <= text.len().min(4096) * 6 + 16);
    }

    /// Every signature is in one cluster, its pattern fits, and neither the order nor a second call makes a difference.
    #[test]
    fn clusters_are_a_function_of_the_set(texts in proptest::collection::vec(text(), 0..30), seed in any::<u64>()) {
        let mut distinct: Vec<String> = texts.iter().map(|text| signature(text)).collect();
        distinct.sort();
        distinct.dedup();
        let named = |signatures: &[String]| -> Vec<(String, u64, Vec<String>)> {
            let borrowed: Vec<&str> = signatures.iter().map(String::as_str).collect();
            let found: Vec<Cluster> = clusters(&borrowed);
            found.into_iter().map(|cluster| {
                let mut members: Vec<String> = cluster.members.iter().map(|member| signatures[*member].clone()).collect();
                members.sort();
                (cluster.pattern.clone(), cluster.id(), members)
            }).collect()
        };
        let expected = named(&distinct);
        prop_assert_eq!(expected.iter().map(|(_, _, members)| members.len()).sum::<usize>(), distinct.len());
        let mut shuffled = distinct.clone();
        let mut state = seed | 1;
        for place in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            shuffled.swap(place, (state >> 33) as usize % (place + 1));
        }
        prop_assert_eq!(named(&shuffled), expected);
    }
}
