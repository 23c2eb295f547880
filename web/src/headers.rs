//! The headers of each answer. No page runs or styles anything that is not a file of this crate.

type Headers = &'static [(&'static str, &'static str)];

macro_rules! policy {
    ($ancestors:literal) => {
        concat!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; ",
            "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'; ",
            "frame-ancestors ",
            $ancestors
        )
    };
}

/// A tape may be deleted at any time: pages and cards are asked for anew.
const NOT_KEPT: (&str, &str) = ("cache-control", "no-cache");
const SNIFFED_NEVER: (&str, &str) = ("x-content-type-options", "nosniff");
const REFERRER: (&str, &str) = ("referrer-policy", "strict-origin-when-cross-origin");
/// Frames on other sites may load it, also where these demand to be asked (COEP).
const FOR_ALL: (&str, &str) = ("cross-origin-resource-policy", "cross-origin");

pub const PAGE: Headers = &[
    ("content-type", "text/html; charset=utf-8"),
    ("content-security-policy", policy!("'none'")),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    NOT_KEPT,
    SNIFFED_NEVER,
    REFERRER,
];

/// Framable anywhere, and nothing else is.
pub const EMBED: Headers = &[
    ("content-type", "text/html; charset=utf-8"),
    ("content-security-policy", policy!("*")),
    FOR_ALL,
    NOT_KEPT,
    SNIFFED_NEVER,
    REFERRER,
];

/// Beside its content type: the hash in its path is that of all files, so that it never changes.
pub const ASSET: Headers = &[("cache-control", "public, max-age=31536000, immutable"), SNIFFED_NEVER, FOR_ALL];

pub const CARD: Headers =
    &[("content-type", "image/png"), ("cache-control", "public, max-age=300"), SNIFFED_NEVER, FOR_ALL];

pub const OEMBED: Headers =
    &[("content-type", "application/json"), ("access-control-allow-origin", "*"), NOT_KEPT, SNIFFED_NEVER];
