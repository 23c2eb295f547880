//! `multipart/form-data` as far as the `clickhouse` crate uses it: the query and its parameters as plain fields.

use super::error::HttpError;

/// The boundary of a `Content-Type`, if it is one of a form.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary=")).map(|b| b.trim_matches('"'))
}

/// Name and value of each field.
pub(super) fn fields(body: &str, boundary: &str) -> Result<Vec<(String, String)>, HttpError> {
    let malformed = || HttpError::bad_request("The multipart body is malformed");
    let opening = format!("--{boundary}");
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(&opening).ok_or_else(malformed)?;
    let mut fields = Vec::new();
    while !rest.starts_with("--") {
        let part = rest.strip_prefix("\r\n").ok_or_else(malformed)?;
        let (part, next) = part.split_once(&delimiter).ok_or_else(malformed)?;
        let (headers, value) = part.split_once("\r\n\r\n").ok_or_else(malformed)?;
        fields.push((field_name(headers)?, value.to_owned()));
        rest = next;
    }
    Ok(fields)
}

fn field_name(headers: &str) -> Result<String, HttpError> {
    let disposition = headers
        .split("\r\n")
        .find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))
        .ok_or_else(|| HttpError::bad_request("A multipart field has no Content-Disposition"))?;
    let attribute = |name: &str| {
        disposition
            .split(';')
            .find_map(|part| part.trim().strip_prefix(name))
            .map(|value| value.trim_matches('"').to_owned())
    };
    if attribute("filename=").is_some() {
        return Err(HttpError::unsupported("external tables"));
    }
    attribute("name=").ok_or_else(|| HttpError::bad_request("A multipart field has no name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_bytes() {
        let body = "--B\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT {a:String}\r\n\
                    --B\r\nContent-Disposition: form-data; name=\"param_a\"\r\n\r\n-- x\r\n\r\ny\r\n--B--\r\n";
        assert_eq!(boundary("multipart/form-data; boundary=B"), Some("B"));
        let fields = fields(body, "B").unwrap();
        assert_eq!(fields[0], ("query".to_owned(), "SELECT {a:String}".to_owned()));
        assert_eq!(fields[1], ("param_a".to_owned(), "-- x\r\n\r\ny".to_owned()));
    }

    #[test]
    fn a_broken_form_is_refused() {
        for body in ["", "--B", "--B\r\nno headers\r\n--B--", "--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--"]
        {
            assert!(fields(body, "B").is_err(), "{body:?}");
        }
    }
}
