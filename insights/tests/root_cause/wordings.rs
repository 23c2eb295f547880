//! What providers, frameworks, clients and databases say of failures. `{tool}` and `{n}` are filled in.

use retrace_insights::root_cause::Kind;

/// Texts of all kinds.
pub struct Wordings {
    pub name: &'static str,
    pub of_model: fn(Kind) -> &'static [&'static str],
    pub of_tool: fn(Kind) -> &'static [&'static str],
    pub malformed: &'static [&'static str],
    pub empty: &'static [&'static str],
    pub looping: &'static [&'static str],
    pub deadline: &'static [&'static str],
    pub cancelled: &'static [&'static str],
    pub killed: &'static [&'static str],
}

/// The table of recognisers was corrected while looking at these.
pub const SEEN: Wordings = Wordings {
    name: "wordings seen",
    of_model,
    of_tool,
    malformed: MALFORMED,
    empty: EMPTY,
    looping: LOOP,
    deadline: DEADLINE,
    cancelled: CANCELLED,
    killed: KILLED,
};

/// Of a kind at a model's step.
fn of_model(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::RateLimit => &[
            "Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Used 29011, Requested {n}. Please try again in 2.1s.', 'type': 'tokens', 'param': None, 'code': 'rate_limit_exceeded'}}",
            "openai.RateLimitError: Error code: 429 - {'error': {'message': 'You exceeded your current quota, please check your plan and billing details.', 'type': 'insufficient_quota', 'code': 'insufficient_quota'}}",
            "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"This request would exceed your organization’s rate limit of 30,000 input tokens per minute.\"}}",
            "google.genai.errors.ClientError: 429 RESOURCE_EXHAUSTED. {'error': {'code': 429, 'message': 'Resource exhausted. Please try again later.', 'status': 'RESOURCE_EXHAUSTED'}}",
            "An error occurred (ThrottlingException) when calling the InvokeModel operation (reached max retries: 2): Too many tokens, please wait before trying again.",
            "429 Quota exceeded for aiplatform.googleapis.com/generate_content_requests_per_minute_per_project_per_base_model with base model: gemini-pro.",
            "EventStreamError: Your request rate is too high. Reduce the frequency of requests.",
            "Requests to the ChatCompletions_Create Operation under Azure OpenAI API have exceeded call rate limit of your current pricing tier. Please retry after {n} seconds.",
            "mistralai.models.sdkerror.SDKError: API error occurred: Status 429. Body: {\"message\":\"Requests rate limit exceeded\"}",
            "HTTP/1.1 429 Too Many Requests",
            "Server is busy: your account reached max concurrency, current 4",
        ],
        Kind::Timeout => &[
            "openai.APITimeoutError: Request timed out.",
            "httpx.ReadTimeout: The read operation timed out",
            "litellm.Timeout: APITimeoutError - Request timed out. Error_str: Request timed out.",
            "504 DEADLINE_EXCEEDED. {'error': {'code': 504, 'message': 'The request timed out. Please try again.', 'status': 'DEADLINE_EXCEEDED'}}",
            "botocore.exceptions.ReadTimeoutError: Read timeout on endpoint URL: \"https://bedrock-runtime.example.com/model/x/converse\"",
            "stream stalled: no chunk for {n} s",
        ],
        Kind::ContextOverflow => &[
            "Error code: 400 - {'error': {'message': \"This model's maximum context length is 128000 tokens. However, your messages resulted in {n} tokens. Please reduce the length of the messages.\", 'code': 'context_length_exceeded'}}",
            "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"prompt is too long: {n} tokens > 200000 maximum\"}}",
            "400 INVALID_ARGUMENT. The input token count ({n}) exceeds the maximum number of tokens allowed (1048576).",
            "An error occurred (ValidationException) when calling the Converse operation: Input is too long for requested model.",
            "litellm.ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError",
            "ValueError: The prompt (total length {n}) is too long to fit into the model (context length 4096).",
            "Input prompt ({n} tokens) is too long and exceeds limit of 8192",
            "400 length of prompt_tokens ({n}) must be less than max_seq_len (32768).",
            "input length and `max_tokens` exceed context limit: {n} + 8192 > 200000",
            "the request exceeds the available context size. try increasing it",
        ],
        Kind::Authentication => &[
            "openai.AuthenticationError: Error code: 401 - {'error': {'message': 'Incorrect API key provided: sk-x. You can find your API key in the settings.', 'code': 'invalid_api_key'}}",
            "{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\",\"message\":\"invalid x-api-key\"}}",
            "403 PERMISSION_DENIED. {'error': {'code': 403, 'message': 'Method doesn't allow unregistered callers.', 'status': 'PERMISSION_DENIED'}}",
            "An error occurred (UnrecognizedClientException) when calling the Converse operation: The security token included in the request is invalid.",
            "An error occurred (AccessDeniedException) when calling the InvokeModel operation: You don't have access to the model with the specified model ID.",
            "{\"error\":{\"code\":\"401\",\"message\":\"Access denied due to invalid subscription key or wrong API endpoint.\"}}",
            "Status 401. Body: {\"detail\":\"Unauthorized\"}",
        ],
        Kind::ProviderError => &[
            "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}",
            "openai.InternalServerError: Error code: 500 - {'error': {'message': 'The server had an error while processing your request. Sorry about that!', 'type': 'server_error'}}",
            "503 UNAVAILABLE. {'error': {'code': 503, 'message': 'The model is overloaded. Please try again later.', 'status': 'UNAVAILABLE'}}",
            "litellm.InternalServerError: AnthropicException - Overloaded. Handle with `litellm.InternalServerError`.",
            "An error occurred (ServiceUnavailableException) when calling the InvokeModel operation: Bedrock is unable to process your request.",
            "500 An internal error has occurred. Please retry or report in the troubleshooting guide",
            "Error: 502 Bad Gateway",
            "APIStatusError: 529 {'type': 'error', 'error': {'type': 'overloaded_error'}}",
            "upstream connect error or disconnect/reset before headers. reset reason: overflow",
        ],
        Kind::InvalidRequest => &[
            "Error code: 404 - {'error': {'message': 'The model `gpt-x` does not exist or you do not have access to it.', 'type': 'invalid_request_error', 'code': 'model_not_found'}}",
            "{\"error\":{\"type\":\"invalid_request_error\",\"code\":\"DeploymentNotFound\",\"message\":\"The API deployment for this resource does not exist.\"}}",
            "Error code: 400 - {'error': {'message': \"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.\", 'code': 'unsupported_parameter'}}",
            "{\"error\": {\"message\": \"You uploaded an unsupported image. Please make sure your image has of one the following formats\", \"type\": \"invalid_request_error\", \"code\": \"invalid_image_format\"}}",
            "messages.3: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_x",
            "ValidationException: Invocation of model ID x with on-demand throughput isn’t supported. Retry your request with an inference profile.",
        ],
        Kind::ContentFiltered => &[
            "Error code: 400 - {'error': {'message': \"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.\", 'code': 'content_filter'}}",
            "ValueError: The `response.text` quick accessor requires a valid Part, but the candidate's finish_reason is SAFETY.",
            "litellm.ContentPolicyViolationError: Your request was rejected as a result of our safety system.",
            "BlockedPromptException: prompt was blocked, block_reason: PROHIBITED_CONTENT",
            "Output blocked by content filtering policy",
            "guardrail_intervened: Sorry, the model cannot answer this question.",
        ],
        _ => &[],
    }
}

/// Of a kind at a tool's step.
fn of_tool(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::RateLimit => &[
            "requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url: https://api.example.com/v1/{tool}",
            "{\"status\":\"error\",\"message\":\"API rate limit exceeded for 10.0.0.7.\"}",
            "Notion API: rate_limited - You have been rate limited. Please try again in a few minutes.",
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
            "slackapi error: ratelimited",
        ],
        Kind::Timeout => &[
            "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='api.example.com', port=443): Read timed out. (read timeout=10)",
            "asyncio.exceptions.TimeoutError",
            "urllib3.exceptions.MaxRetryError: Max retries exceeded with url: /{tool} (Caused by ConnectTimeoutError('Connection to api.example.com timed out. (connect timeout=5)'))",
            "Error: connect ETIMEDOUT 10.0.0.7:443",
            "playwright._impl._errors.TimeoutError: Page.goto: Timeout 30000ms exceeded.",
            "psycopg.errors.QueryCanceled: canceling statement due to statement timeout",
            "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
            "{tool} did not answer within {n} ms",
        ],
        Kind::BadArguments => &[
            "MCP error -32602: Invalid arguments for tool {tool}: [{\"code\":\"invalid_type\",\"expected\":\"array\",\"received\":\"string\",\"path\":[\"data\"]}]",
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for {tool}\nquery\n  Field required [type=missing, input_value={'q': 'x'}, input_type=dict]",
            "TypeError: {tool}() got an unexpected keyword argument 'querry'",
            "TypeError: {tool}() missing 1 required positional argument: 'city'",
            "ToolException: Received tool input did not match expected schema",
            "jsonschema.exceptions.ValidationError: 'abc' is not of type 'integer'",
            "{\"error\":\"unknown field \\\"citty\\\" in arguments of {tool}\"}",
            "422 Unprocessable Entity: {\"detail\":[{\"loc\":[\"body\",\"limit\"],\"msg\":\"value is not a valid integer\",\"type\":\"type_error.integer\"}]}",
        ],
        Kind::Authentication => &[
            "requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://api.example.com/{tool}",
            "googleapiclient.errors.HttpError: <HttpError 403 \"Request had insufficient authentication scopes.\">",
            "psycopg.OperationalError: FATAL: password authentication failed for user \"agent\"",
            "botocore.exceptions.NoCredentialsError: Unable to locate credentials",
            "{\"message\":\"Bad credentials\",\"status\":\"401\"}",
            "jwt.exceptions.ExpiredSignatureError: Signature has expired",
            "invalid_grant: Token has been expired or revoked.",
        ],
        Kind::DependencyError => &[
            "sqlite3.OperationalError: database is locked",
            "psycopg2.OperationalError: could not connect to server: Connection refused",
            "Error: read ECONNRESET",
            "requests.exceptions.ConnectionError: ('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
            "httpx.ConnectError: [Errno -2] Name or service not known",
            "TypeError: fetch failed\n    at node:internal/deps/undici/undici:13392:13",
            "503 Service Unavailable: upstream is down",
            "redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379. Connection refused.",
            "elasticsearch.exceptions.NotFoundError: index_not_found_exception, no such index [docs]",
            "pymysql.err.InternalError: (1213, 'Deadlock found when trying to get lock; try restarting transaction')",
            "HTTP 502 from search backend",
            "grpc: the connection is draining",
        ],
        Kind::ToolError => &[
            "KeyError: 'results'",
            "IndexError: list index out of range",
            "AttributeError: 'NoneType' object has no attribute 'text'",
            "TypeError: Cannot read properties of undefined (reading 'id')",
            "ZeroDivisionError: division by zero",
            "FileNotFoundError: [Errno 2] No such file or directory: '/data/report.csv'",
            "PermissionError: [Errno 13] Permission denied: '/data/report.csv'",
            "subprocess.CalledProcessError: Command '['node', 'run.js']' returned non-zero exit status 1.",
            "thread 'main' panicked at src/main.rs:{n}:9: index out of bounds",
            "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
            "Element with selector #buy was not visible",
        ],
        Kind::ResourceExhausted => &[
            "MemoryError",
            "OSError: [Errno 28] No space left on device",
            "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
            "Command failed: process exited with signal 9 (SIGKILL)",
            "OSError: [Errno 24] Too many open files",
        ],
        _ => &[],
    }
}

/// What a parser says of a model's output.
const MALFORMED: &[&str] = &[
    "json.decoder.JSONDecodeError: Expecting ',' delimiter: line 3 column {n} (char 57)",
    "langchain_core.exceptions.OutputParserException: Could not parse LLM output: `I think the answer is`",
    "SyntaxError: Unexpected token 'H', \"Here is th\"... is not valid JSON",
    "pydantic_core._pydantic_core.ValidationError: 2 validation errors for Answer\nscore\n  Input should be a valid number [type=float_parsing]",
    "Failed to parse Joke from completion {\"setup\": 1}. Got: 1 validation error for Joke",
    "serde_json::Error: EOF while parsing a value at line 1 column {n}",
    "ValueError: no closing fence in the plan",
];

const EMPTY: &[&str] = &[
    "ValueError: LLM returned an empty response",
    "Agent finished without an answer: empty completion",
    "No content in the model's reply",
    "None or empty response from LLM call",
    "the assistant's message has zero characters",
];

const LOOP: &[&str] = &[
    "langgraph.errors.GraphRecursionError: Recursion limit of 25 reached without hitting a stop condition.",
    "Agent stopped due to iteration limit or time limit.",
    "agents.exceptions.MaxTurnsExceeded: Max turns ({n}) exceeded",
    "RetraceEnforcementError: Enforcement block: Local step ceiling reached: {n} > 20 per run.",
    "pydantic_ai.exceptions.UsageLimitExceeded: The next request would exceed the request_limit of 50",
    "Reached the maximum number of steps.",
    "gave up: same state seen {n} times",
];

const DEADLINE: &[&str] = &[
    "asyncio.exceptions.TimeoutError",
    "TimeoutError: step exceeded its deadline of {n} s",
    "Task timed out after {n}.00 seconds",
    "deadline exceeded",
    "concurrent.futures._base.TimeoutError",
    "The function was stopped since it ran for over {n} s",
];

const CANCELLED: &[&str] = &[
    "asyncio.exceptions.CancelledError",
    "AbortError: This operation was aborted",
    "RuntimeError: Task has been cancelled!",
    "KeyboardInterrupt",
    "Run was canceled by the user",
];

const KILLED: &[&str] = &[
    "OOMKilled",
    "Process finished with exit code 137 (interrupted by signal 9: SIGKILL)",
    "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
    "worker was terminated: memory limit of 512 MiB exceeded",
    "Killed",
];

/// Broken off.
pub const UNREADABLE: &[&str] = &["json.decoder.JSONDecodeError: Expecting ',' delimiter: line 3 column {n} (char 57)"];

/// Words that tell nothing.
pub const OBSCURE: &[&str] =
    &["E{n}: widget misaligned", "operation unsuccessful", "Something went wrong", "status=-{n}", "Exception: see log"];

/// Of a trace that failed a check of its result.
pub const REJECTED: &[&str] =
    &["Result was rejected by the reviewer", "Checks did not pass", "Task not completed", "score 0.1 < 0.7"];

/// Of wrappers.
pub const GENERIC: &[&str] =
    &["Agent run failed", "RuntimeError: step failed", "Exception", "Unhandled error in chain", "Error"];
