//! Errors in the form that ClickHouse's clients read: status, code in a header, text in the body.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::ffi::EngineError;

pub(super) const EXCEPTION_CODE: &str = "x-clickhouse-exception-code";

/// ClickHouse's own numbers for the errors that the front raises itself.
mod code {
    pub(super) const NOT_IMPLEMENTED: u32 = 48;
    pub(super) const BAD_ARGUMENTS: u32 = 36;
    pub(super) const TOO_MANY_SIMULTANEOUS_QUERIES: u32 = 202;
    pub(super) const AUTHENTICATION_FAILED: u32 = 516;
    pub(super) const STD_EXCEPTION: u32 = 1001;
}

#[derive(Debug)]
pub(super) struct HttpError {
    status: StatusCode,
    code: u32,
    text: String,
}

impl HttpError {
    fn own(status: StatusCode, code: u32, name: &str, message: &str) -> Self {
        Self { status, code, text: format!("Code: {code}. DB::Exception: {message}. ({name})") }
    }

    pub(super) fn bad_request(message: &str) -> Self {
        Self::own(StatusCode::BAD_REQUEST, code::BAD_ARGUMENTS, "BAD_ARGUMENTS", message)
    }

    pub(super) fn unsupported(what: &str) -> Self {
        let message = format!("The embedded ClickHouse does not support {what}");
        Self::own(StatusCode::NOT_IMPLEMENTED, code::NOT_IMPLEMENTED, "NOT_IMPLEMENTED", &message)
    }

    pub(super) fn busy() -> Self {
        let message = "All connections of the embedded ClickHouse are busy";
        Self::own(
            StatusCode::SERVICE_UNAVAILABLE,
            code::TOO_MANY_SIMULTANEOUS_QUERIES,
            "TOO_MANY_SIMULTANEOUS_QUERIES",
            message,
        )
    }

    pub(super) fn unauthenticated() -> Self {
        let message = "Authentication failed: the user or password is wrong";
        Self::own(StatusCode::UNAUTHORIZED, code::AUTHENTICATION_FAILED, "AUTHENTICATION_FAILED", message)
    }

    pub(super) fn internal(message: &str) -> Self {
        Self::own(StatusCode::INTERNAL_SERVER_ERROR, code::STD_EXCEPTION, "STD_EXCEPTION", message)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Raised before anything was run, because only a `SELECT` can be streamed.
    pub(super) fn is_not_streamable(&self) -> bool {
        self.code == code::BAD_ARGUMENTS && self.text.contains("Streaming query is not supported for query")
    }
}

impl From<EngineError> for HttpError {
    fn from(EngineError(text): EngineError) -> Self {
        // The engine wraps some messages once more; the innermost is what a server would send.
        let mut text = text.strip_prefix("Error: ").unwrap_or(&text);
        while let Some((_, inner)) = text.split_once("DB::Exception: ").filter(|(_, inner)| inner.starts_with("Code: "))
        {
            text = inner;
        }
        let code = text.strip_prefix("Code: ").and_then(|t| t.split('.').next()).and_then(|c| c.trim().parse().ok());
        match code {
            Some(code) => Self { status: status(code), code, text: text.trim_end().to_owned() },
            None => Self::internal(text.trim()),
        }
    }
}

/// The statuses that ClickHouse's HTTP handler gives (`exceptionCodeToHTTPStatus`), for the codes that occur here.
fn status(code: u32) -> StatusCode {
    match code {
        516 | 194 => StatusCode::UNAUTHORIZED,
        497 => StatusCode::FORBIDDEN,
        6 | 26 | 27 | 36 | 38 | 41 | 43 | 47 | 53 | 62 | 69 | 70 | 72 | 80 | 115 | 117 | 457 => StatusCode::BAD_REQUEST,
        16 | 46 | 50 | 60 | 73 | 81 => StatusCode::NOT_FOUND,
        159 => StatusCode::REQUEST_TIMEOUT,
        202 => StatusCode::SERVICE_UNAVAILABLE,
        48 => StatusCode::NOT_IMPLEMENTED,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let body = format!("{}\n", self.text);
        let mut response = (self.status, [(header::CONTENT_TYPE, "text/plain; charset=UTF-8")], body).into_response();
        response.headers_mut().insert(EXCEPTION_CODE, HeaderValue::from(self.code));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_found_under_wrappings() {
        let error = HttpError::from(EngineError(
            "Error: Code: 241. DB::Exception: Code: 60. DB::Exception: no x. (UNKNOWN_TABLE)".into(),
        ));
        assert_eq!((error.code, error.status), (60, StatusCode::NOT_FOUND));
        assert_eq!(error.text(), "Code: 60. DB::Exception: no x. (UNKNOWN_TABLE)");
        assert_eq!(HttpError::from(EngineError("odd".into())).code, 1001);
    }
}
