//! Further wordings, of other providers and tools. No recogniser was written or corrected while looking at these, so that
//! the share of them that is understood is what can be expected of texts not yet met.

use retrace_insights::root_cause::Kind;

use super::wordings::Wordings;

pub const UNSEEN: Wordings = Wordings {
    name: "wordings unseen",
    of_model,
    of_tool,
    malformed: &[
        "Response was not parseable as JSON",
        "ZodError: Invalid input: expected number at score",
        "missing key 'answer' in the model's reply",
        "Invalid Format: Missing 'Action:' after 'Thought:'",
        "xml.etree.ElementTree.ParseError: mismatched tag: line {n}, column 2",
    ],
    empty: &[
        "model produced no tokens",
        "got an empty string from chat()",
        "IndexError: choices was empty",
        "Received empty generations from the LLM",
        "The response did not contain any text parts",
    ],
    looping: &[
        "AgentExecutor reached max_iterations=15",
        "Too many tool roundtrips",
        "loop detected: same action repeated {n} times",
        "Maximum number of turns reached",
        "exceeded max steps",
    ],
    deadline: &[
        "celery.exceptions.SoftTimeLimitExceeded: SoftTimeLimitExceeded()",
        "step timed out",
        "wait_for() exceeded {n} s",
        "Operation exceeded its time budget",
        "DEADLINE_EXCEEDED: step",
    ],
    cancelled: &[
        "context canceled",
        "Cancelled by cancel scope 7f",
        "Execution halted by the operator",
        "SIGINT received",
        "The user aborted a request.",
    ],
    killed: &[
        "Worker (pid:{n}) was sent SIGKILL! Perhaps out of memory?",
        "Evicted: The node was low on resource: memory.",
        "exit status 137",
        "cgroup limit reached, killing process",
    ],
};

fn of_model(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::RateLimit => &[
            "cohere.errors.TooManyRequestsError: status_code: 429, body: You are using a Trial key, which is limited to 10 API calls / minute.",
            "Provider returned error: the model is temporarily rate-limited upstream. Please retry shortly.",
            "AI_RetryError: Failed after 3 attempts. Last error: Too Many Requests",
            "huggingface_hub.errors.HfHubHTTPError: 429 Client Error for url: https://example.com/models",
            "You have hit your usage limit. Try again at 3:12 PM",
            "Rate exceeded",
        ],
        Kind::Timeout => &[
            "HeadersTimeoutError: Headers Timeout Error (UND_ERR_HEADERS_TIMEOUT)",
            "grpc status 4: Deadline Exceeded",
            "aiohttp.client_exceptions.ServerTimeoutError: Timeout on reading data from socket",
            "The model took over {n} s to answer and was given up",
            "anthropic.APITimeoutError: Request timed out or interrupted.",
        ],
        Kind::ContextOverflow => &[
            "cohere: too many tokens: size limit exceeded by {n} tokens. Try using shorter or fewer inputs.",
            "ValueError: Requested tokens ({n}) exceed context window of 4096",
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: {n}",
            "400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: {n}",
            "Prompt contains {n} tokens and 0 draft tokens, too large for model with 32768 maximum context length",
            "Your conversation has grown beyond what the model can read",
        ],
        Kind::Authentication => &[
            "invalid api token",
            "TypeError: Could not resolve authentication method. Expected either api_key or auth_token to be set.",
            "google.auth.exceptions.DefaultCredentialsError: Your default credentials were not found.",
            "The api_key client option must be set either by passing api_key to the client or by an environment variable",
            "AADSTS7000215: Invalid client secret provided.",
        ],
        Kind::ProviderError => &[
            "Provider returned error: Internal Server Error",
            "llama runner process has terminated",
            "API Error: 529 Overloaded",
            "The engine is currently overloaded, please try again later",
            "An error occurred (InternalServerException) when calling the Converse operation: The system encountered an unexpected error during processing.",
        ],
        Kind::InvalidRequest => &[
            "models/gemini-9 is not found for API version v1beta, or is not supported for generateContent.",
            "Error code: 400 - Invalid value for 'temperature': must be at most 2",
            "model 'llama9' not found, try pulling it first",
            "messages: roles must alternate between \"user\" and \"assistant\"",
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.",
        ],
        Kind::ContentFiltered => &[
            "Candidate was blocked due to RECITATION",
            "Your input contains content that may violate our usage policy",
            "content_filter: self_harm severity high",
            "ResponsibleAIPolicyViolation",
            "finishReason: SAFETY",
        ],
        _ => &[],
    }
}

fn of_tool(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::RateLimit => &[
            "GithubException: 403 {\"message\": \"API rate limit exceeded for user ID {n}.\"}",
            "TwilioRestException: HTTP 429 error: Unable to create record: Too many requests",
            "Your account has run out of searches.",
            "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per user'",
        ],
        Kind::Timeout => &[
            "TimeoutError: Navigation timeout of 30000 ms exceeded",
            "pymongo.errors.ServerSelectionTimeoutError: db:27017: [Errno 111]",
            "subprocess.TimeoutExpired: Command 'x' timed out after 60 seconds",
            "curl: (28) Operation too slow. Less than 1 bytes/sec transferred the last 30 seconds",
            "no reply from the worker in {n} s",
        ],
        Kind::BadArguments => &[
            "Error parsing tool arguments: 'city' is a required property",
            "error: unrecognized arguments: --foo",
            "expected string, got number at .query",
            "ValueError: Invalid isoformat string: 'tomorrow'",
            "Tool '{tool}' has no parameter 'queries'",
            "argument 'limit' must be between 1 and 100",
        ],
        Kind::Authentication => &[
            "403 Forbidden: insufficient scope",
            "gspread.exceptions.APIError: The caller does not have permission",
            "SlackApiError: invalid_auth",
            "Client must be authenticated to access this resource.",
            "Access token is missing or expired",
        ],
        Kind::DependencyError => &[
            "MongoNetworkError: connection 3 to 10.0.0.2:27017 closed",
            "KafkaError{code=_TRANSPORT,str=\"broker transport failure\"}",
            "requests.exceptions.SSLError: certificate verify failed: unable to get local issuer certificate",
            "Error: connect EHOSTUNREACH 10.0.0.9:80",
            "ORA-12541: TNS:no listener",
            "psycopg.errors.UndefinedTable: relation \"orders\" does not exist",
            "Lost connection to MySQL server during query",
            "dial tcp: lookup db: no such host",
        ],
        Kind::ToolError => &[
            "RuntimeError: dictionary changed size during iteration",
            "NameError: name 'df' is not defined",
            "ReferenceError: total is not defined",
            "bash: line 1: jq: command not found",
            "pandas.errors.EmptyDataError: No columns to parse from file",
            "AssertionError",
            "java.lang.NullPointerException: Cannot invoke \"String.length()\"",
        ],
        Kind::ResourceExhausted => &[
            "std::bad_alloc",
            "ENOSPC: no space left on device, write",
            "RuntimeError: can't start new thread",
            "FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed",
            "numpy.core._exceptions._ArrayMemoryError: Unable to allocate 7.45 GiB for an array",
        ],
        _ => &[],
    }
}
