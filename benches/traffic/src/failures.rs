//! What goes wrong in single runs, in the words of those who say so.

use crate::models::{Model, Vendor};
use crate::random::Random;
use crate::texts::fill;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    Model,
    Tool,
}

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) place: Place,
    /// Clients try these again.
    pub(crate) passing: bool,
    /// The call was answered, and paid for, before it failed.
    pub(crate) paid: bool,
    /// Milliseconds that it takes to fail, where it is not as long as a call.
    pub(crate) after_ms: Option<f64>,
    texts: &'static [(Vendor, &'static str)],
}

impl Failure {
    pub(crate) fn text(&self, model: &Model, random: &mut Random) -> String {
        let own = self.texts.iter().find(|(vendor, _)| *vendor == model.vendor);
        let template = own.or(self.texts.first()).map(|(_, text)| *text).unwrap_or_default();
        fill(&template.replace("<model>", model.name), random)
    }
}

const fn of(
    place: Place,
    passing: bool,
    paid: bool,
    after_ms: Option<f64>,
    texts: &'static [(Vendor, &'static str)],
) -> Failure {
    Failure { place, passing, paid, after_ms, texts }
}

/// What an error spike consists of; it happens at no other time.
pub(crate) const OUTAGE: &Failure = &of(
    Place::Model,
    true,
    false,
    Some(310.0),
    &[(
        Vendor::OpenAi,
        "APIConnectionError: upstream connect error or disconnect/reset before headers. retried and the latest reset reason: \
     remote connection failure, transport failure reason: delayed connect error: 111 (request <uuid>)",
    )],
);

/// Cumulative weights of [`USUAL`].
pub(crate) const WEIGHTS: &[f64] = &[30.0, 48.0, 58.0, 72.0, 82.0, 90.0, 96.0, 100.0];

pub(crate) const USUAL: &[Failure] = &[
    of(
        Place::Model,
        true,
        false,
        Some(180.0),
        &[
            (
                Vendor::OpenAi,
                "RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached for <model> in organization \
             org-<hex> on tokens per min (TPM): Limit 200000, Used <big>, Requested <n>. Please try again in <n>ms.', \
             'type': 'tokens', 'param': None, 'code': 'rate_limit_exceeded'}}",
            ),
            (
                Vendor::Anthropic,
                "RateLimitError: Error code: 429 - {'type': 'error', 'error': {'type': 'rate_limit_error', 'message': 'This \
             request would exceed your organization rate limit of 400000 input tokens per minute'}, 'request_id': \
             'req_<hex>'}",
            ),
            (
                Vendor::Google,
                "ClientError: 429 RESOURCE_EXHAUSTED. {'error': {'code': 429, 'message': 'Quota exceeded for \
             aiplatform.googleapis.com/generate_content_requests_per_minute with base model: <model>. Please retry in \
             <n>s.', 'status': 'RESOURCE_EXHAUSTED'}}",
            ),
        ],
    ),
    of(
        Place::Model,
        true,
        false,
        Some(30_000.0),
        &[(Vendor::OpenAi, "APITimeoutError: Request timed out after 30.<n> s (request req_<hex>)")],
    ),
    of(
        Place::Model,
        false,
        false,
        Some(240.0),
        &[
            (
                Vendor::OpenAi,
                "BadRequestError: Error code: 400 - {'error': {'message': \"This model's maximum context length is 128000 \
             tokens. However, your messages resulted in <big> tokens. Please reduce the length of the messages.\", 'type': \
             'invalid_request_error', 'param': 'messages', 'code': 'context_length_exceeded'}}",
            ),
            (
                Vendor::Anthropic,
                "BadRequestError: Error code: 400 - {'type': 'error', 'error': {'type': 'invalid_request_error', 'message': \
             'prompt is too long: <big> tokens > 200000 maximum'}, 'request_id': 'req_<hex>'}",
            ),
        ],
    ),
    of(
        Place::Tool,
        false,
        true,
        Some(3.0),
        &[(
            Vendor::OpenAi,
            "ValidationError: 1 validation error for Arguments\nlimit\n  Input should be a valid integer, unable to parse string \
         as an integer [type=int_parsing, input_value='<n> items', input_type=str]",
        )],
    ),
    of(
        Place::Model,
        true,
        true,
        None,
        &[(Vendor::OpenAi, "json.decoder.JSONDecodeError: Expecting ',' delimiter: line <n> column <n> (char <big>)")],
    ),
    of(
        Place::Model,
        true,
        false,
        Some(900.0),
        &[
            (
                Vendor::OpenAi,
                "InternalServerError: Error code: 500 - {'error': {'message': 'The server had an error while processing your \
             request. Sorry about that! Please contact us if the error persists, and include the request ID req_<hex>.', \
             'type': 'server_error', 'param': None, 'code': None}}",
            ),
            (
                Vendor::Anthropic,
                "OverloadedError: Error code: 529 - {'type': 'error', 'error': {'type': 'overloaded_error', 'message': \
             'Overloaded'}, 'request_id': 'req_<hex>'}",
            ),
        ],
    ),
    of(
        Place::Tool,
        true,
        true,
        Some(10_000.0),
        &[(
            Vendor::OpenAi,
            "ConnectTimeout: HTTPSConnectionPool(host='api.internal', port=443): Max retries exceeded with url: \
         /v1/orders/<uuid>?page=<n> (Caused by ConnectTimeoutError('Connection timed out. (connect timeout=10)'))",
        )],
    ),
    of(
        Place::Tool,
        true,
        true,
        Some(1_100.0),
        &[(
            Vendor::OpenAi,
            "psycopg.errors.DeadlockDetected: deadlock detected\nDETAIL:  Process <n> waits for ShareLock on transaction <big>; \
         blocked by process <n>.",
        )],
    ),
];
