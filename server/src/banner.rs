//! What `retrace up` prints once everything serves.

use std::path::Path;
use std::time::Duration;

use runtime::Settings;

pub enum Key {
    Known(String),
    /// Only its hash is stored.
    Unknown,
}

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
pub fn print(settings: &Settings, data: &Path, key: &Key, took: Duration) {
    let base = settings.base_url();
    let id = uuid::Uuid::now_v7();
    let (shown, used) = match key {
        Key::Known(key) => (key.clone(), key.clone()),
        Key::Unknown => {
            ("already created (`retrace keys create` makes a new one)".to_owned(), "$RETRACE_API_KEY".to_owned())
        }
    };
    let now = runtime::http::rfc3339(time::OffsetDateTime::now_utc());
    println!(
        r#"
Retrace is ready at {base} ({:.1} s)

  API key   {shown}
  Docs      {base}/docs
  Data      {}
  Logs      {}

Record a trace:

  curl -X POST {base}/api/v1/traces -H 'x-retrace-key: {used}' -H 'content-type: application/json' \
    -d '{{"id":"{id}","name":"hello","status":"completed","input":"hi","output":"hello","spans":[{{"span_type":"llm_call","name":"chat","model":"gpt-4o-mini","input_tokens":12,"output_tokens":5,"started_at":"{now}","ended_at":"{now}"}}]}}'

Read it back:

  curl {base}/api/v1/traces/{id} -H 'x-retrace-key: {used}'

Ctrl-C stops everything; the next start finds all data."#,
        took.as_secs_f64(),
        data.display(),
        data.join("logs").display(),
    );
}

/// Something does not run although everything else does.
#[expect(clippy::print_stderr, reason = "the command line talks to its user")]
pub fn warn(what: &str) {
    eprintln!("\nWarning: {what}");
}
