//! Every error that a client sees: a status and `{"error": "…"}`. What went wrong inside is logged, never sent.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

#[derive(Debug)]
pub struct Problem {
    pub status: StatusCode,
    pub message: String,
    pub retry_after: Option<u64>,
    pub allow: Option<String>,
    pub position: Option<String>,
}

/// At most this many faults of a body are listed.
const MOST_FAULTS: usize = 20;

impl Problem {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Problem {
        Problem { status, message: message.into(), retry_after: None, allow: None, position: None }
    }

    pub fn bad_request(message: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, message)
    }

    /// All faults of one request in one answer.
    pub fn faults(mut faults: Vec<String>) -> Problem {
        let more = faults.len().saturating_sub(MOST_FAULTS);
        faults.truncate(MOST_FAULTS);
        if more > 0 {
            faults.push(format!("and {more} more"));
        }
        Problem::bad_request(faults.join("; "))
    }

    pub fn unauthorized(message: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, message)
    }

    pub fn not_found(what: &str) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    pub fn unavailable(message: impl Into<String>, retry_after: u64) -> Problem {
        Problem { retry_after: Some(retry_after.max(1)), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, message) }
    }

    /// Logs the cause; the client is told nothing of it.
    pub fn internal(cause: impl std::fmt::Display) -> Problem {
        tracing::error!(cause = %cause, "internal error");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
    }

    /// A store that does not answer: logged, and worth a retry.
    pub fn store_down(store: &str, cause: impl std::fmt::Display) -> Problem {
        tracing::warn!(store, cause = %cause, "store unavailable");
        Problem::unavailable(format!("{store} is not available at the moment"), 2)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.message)
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::json!({ "error": self.message });
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
            headers.insert(header::ALLOW, allow);
        }
        if let Some(position) = self.position.as_deref().and_then(|position| HeaderValue::from_str(position).ok()) {
            headers.insert("x-retrace-position", position);
        }
        response
    }
}
