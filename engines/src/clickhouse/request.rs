//! What a request asks for, from its URL and its form.

use axum::extract::Query;
use axum::http::Uri;

use super::error::HttpError;
use super::sql;

/// A statement with all that governs it.
#[derive(Debug, Default)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) format: Option<String>,
    pub(super) database: Option<String>,
    pub(super) params: Vec<(String, String)>,
    pub(super) settings: Vec<(String, String)>,
    /// The rows of an insert come in compressed blocks.
    pub(super) decompress: bool,
    /// The answer is to be whole before any of it is sent.
    pub(super) buffered: bool,
}

/// Accepted and without meaning here: credentials are checked before, the rest tunes a server's HTTP answers.
const IGNORED: [&str; 8] = [
    "user",
    "password",
    "quota_key",
    "query_id",
    "buffer_size",
    "stacktrace",
    "client_protocol_version",
    "enable_http_compression",
];

impl Statement {
    pub(super) fn from_url(uri: &Uri) -> Result<Self, HttpError> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| HttpError::bad_request("The URL's query string is malformed"))?;
        let mut statement = Self::default();
        for (name, value) in pairs {
            statement.take(name, value)?;
        }
        Ok(statement)
    }

    /// Takes one name and value of the URL or of a form.
    pub(super) fn take(&mut self, name: String, value: String) -> Result<(), HttpError> {
        match name.as_str() {
            "query" => self.append(&value),
            "database" => self.database = Some(value).filter(|v| !v.is_empty()),
            "default_format" => self.format = Some(value),
            "wait_end_of_query" => self.buffered = value == "1",
            "decompress" => self.decompress = value == "1",
            "compress" if value == "1" => {
                return Err(HttpError::unsupported("compressed answers; leave out compress=1"));
            }
            "compress" => {}
            "session_id" | "session_timeout" | "session_check" => {
                return Err(HttpError::unsupported("sessions"));
            }
            "role" => return Err(HttpError::unsupported("roles")),
            ignored if IGNORED.contains(&ignored) => {}
            param if param.starts_with("param_") => {
                self.params.push((param.trim_start_matches("param_").to_owned(), value));
            }
            setting if sql::is_setting_name(setting) => self.settings.push((name, value)),
            _ => return Err(HttpError::bad_request("A setting has an impossible name")),
        }
        Ok(())
    }

    /// As on a server, text of the body follows that of the URL.
    pub(super) fn append(&mut self, text: &str) {
        if !self.sql.is_empty() && !text.is_empty() {
            self.sql.push('\n');
        }
        self.sql.push_str(text);
    }

    pub(super) fn format(&self) -> &str {
        self.format.as_deref().unwrap_or("TabSeparated")
    }

    /// Statements that bring a fresh connection into the state that the request wants.
    pub(super) fn preamble(&self) -> Vec<String> {
        let mut preamble = Vec::new();
        if let Some(database) = &self.database {
            preamble.push(format!("USE {}", sql::quoted_identifier(database)));
        }
        if !self.settings.is_empty() {
            let list: Vec<_> =
                self.settings.iter().map(|(name, value)| format!("{name} = {}", sql::string_literal(value))).collect();
            preamble.push(format!("SET {}", list.join(", ")));
        }
        preamble
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let uri =
            "/?query=SELECT+1&default_format=CSV&database=d&param_a=%5C%27x&max_threads=3&decompress=1&query_id=7";
        let statement = Statement::from_url(&uri.parse().unwrap()).unwrap();
        assert_eq!((statement.sql.as_str(), statement.format()), ("SELECT 1", "CSV"));
        assert_eq!(statement.params, [("a".to_owned(), "\\'x".to_owned())]);
        assert_eq!(statement.preamble(), ["USE `d`", "SET max_threads = '3'"]);
        assert!(statement.decompress);
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        for uri in ["/?session_id=1", "/?role=x", "/?compress=1", "/?a%3D1=2"] {
            assert!(Statement::from_url(&uri.parse().unwrap()).is_err(), "{uri}");
        }
    }
}
