//! What the services in this process say. The last of it is kept for a test that fails; `RETRACE_TEST_LOG` shows all.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use runtime::Settings;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

const KEPT: usize = 100;
static TAIL: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

pub fn start() {
    let (filter, writer) = match std::env::var("RETRACE_TEST_LOG") {
        Ok(filter) => (filter, BoxMakeWriter::new(io::stderr)),
        // Of librdkafka only what is wrong: each of its many clients says what it does.
        Err(_) => ("info,librdkafka=warn,rdkafka=warn".to_owned(), BoxMakeWriter::new(|| Tail)),
    };
    let settings = Settings { log: filter, log_format: "text".into(), ..Settings::default() };
    runtime::telemetry::start(&settings, writer).unwrap();
}

/// The last lines of all installations.
pub fn tail() -> String {
    TAIL.lock().unwrap_or_else(PoisonError::into_inner).iter().map(String::as_str).collect()
}

struct Tail;

impl Write for Tail {
    /// One event a call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut tail = TAIL.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.len() == KEPT {
            tail.pop_front();
        }
        tail.push_back(String::from_utf8_lossy(line).into_owned());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
