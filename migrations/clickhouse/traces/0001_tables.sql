-- One generation (`{g}`) of the traces projection. Every row is the whole fold of its key up to `version`, so that
-- it may be written any number of times; `{engine:…}` is rendered for a single server or for a cluster.

CREATE TABLE traces_{g} (
    tenant String,
    trace_id String,
    version UInt64,
    is_deleted UInt8,
    partition UInt16,
    ended_mask UInt32,
    created_version UInt64,
    received_at DateTime64(6, 'UTC'),
    own_started_at Nullable(DateTime64(6, 'UTC')),
    started_at DateTime64(6, 'UTC'),
    ended_at Nullable(DateTime64(6, 'UTC')),
    status LowCardinality(String),
    name String,
    session_id Nullable(String),
    user_id Nullable(String),
    project_id Nullable(String),
    environment Nullable(String),
    tags Array(String),
    lossy UInt8,
    golden UInt8,
    warnings Array(String),
    reported_duration_us Nullable(Int64),
    reported_tokens Nullable(Int64),
    reported_cost Nullable(Decimal(38, 12)),
    span_count UInt64,
    failed_spans UInt64,
    token_spans UInt64,
    cost_spans UInt64,
    tokens Int64,
    cost Decimal(38, 12),
    models Array(String),
    -- The signature of the trace's own error, and that of its failure: its own, else that of its first span with an error.
    error_signature String,
    failure String
)
ENGINE = {engine:ReplacingMergeTree(version, is_deleted)}
ORDER BY (tenant, trace_id)
SETTINGS index_granularity = 1024{settings};

CREATE TABLE trace_list_{g} (
    tenant String,
    started_at DateTime64(6, 'UTC'),
    trace_id String,
    version UInt64,
    is_deleted UInt8,
    status LowCardinality(String),
    name LowCardinality(String),
    session_id Nullable(String),
    user_id Nullable(String),
    project_id LowCardinality(Nullable(String)),
    environment LowCardinality(Nullable(String)),
    tags Array(String),
    models Array(String),
    total_tokens Int64,
    total_cost Decimal(38, 12),
    total_duration_us Int64,
    -- In histograms whose buckets are 1 % wide: a distribution is these, counted. 65535 where there is no value.
    tokens_bucket UInt16,
    cost_bucket UInt16,
    duration_bucket UInt16,
    -- Of a failed trace: the signature of its error.
    failure LowCardinality(String)
)
ENGINE = {engine:ReplacingMergeTree(version, is_deleted)}
ORDER BY (tenant, started_at, trace_id)
SETTINGS index_granularity = 1024{settings};

CREATE TABLE usage_totals_{g} (
    tenant String,
    day Date,
    partition UInt16,
    version UInt64,
    traces Int64,
    spans Int64,
    tokens Int64,
    cost Decimal(38, 12),
    ai_requests Int64
)
ENGINE = {engine:ReplacingMergeTree(version)}
ORDER BY (tenant, day, partition)
SETTINGS index_granularity = 1024{one part}{settings};

CREATE TABLE prompt_uses_{g} (
    tenant String,
    -- A hash of the id or the name that spans give.
    prompt UInt64,
    prompt_version Int64,
    partition UInt16,
    version UInt64,
    calls Int64,
    failed Int64,
    tokens Int64,
    cost Decimal(38, 12)
)
ENGINE = {engine:ReplacingMergeTree(version)}
ORDER BY (tenant, prompt, prompt_version, partition)
SETTINGS index_granularity = 1024{one part}{settings};

CREATE TABLE trace_counts_{g} (
    tenant String,
    day Date,
    project_id String,
    environment String,
    status LowCardinality(String),
    partition UInt16,
    version UInt64,
    traces Int64,
    spans Int64,
    tokens Int64,
    cost Decimal(38, 12)
)
ENGINE = {engine:ReplacingMergeTree(version)}
ORDER BY (tenant, day, project_id, environment, status, partition)
SETTINGS index_granularity = 1024{one part}{settings};

-- One row a trace and model, in the order of time: for what is asked by name, user, session or tag.
CREATE TABLE trace_models_{g} (
    tenant String,
    started_at DateTime64(6, 'UTC'),
    trace_id String,
    model LowCardinality(String),
    version UInt64,
    is_deleted UInt8,
    name LowCardinality(String),
    session_id Nullable(String),
    user_id Nullable(String),
    project_id LowCardinality(Nullable(String)),
    environment LowCardinality(Nullable(String)),
    tags Array(String),
    traces Int64,
    calls Int64,
    unpriced_calls Int64,
    input_tokens Int64,
    output_tokens Int64,
    cache_read_tokens Int64,
    cache_write_tokens Int64,
    reasoning_tokens Int64,
    tokens Int64,
    timed_calls Int64,
    duration_us Int64,
    cost Decimal(38, 12),
    -- The calls one by one, up to 1,000, in the order of their starts (microseconds since 1970). Hashes are 0 where a
    -- prompt is not known; heads are beginnings of the prompt, with the input tokens that they are.
    call_started_at Array(Int64),
    call_failed Array(UInt8),
    call_input_tokens Array(Int64),
    call_output_tokens Array(Int64),
    call_cache_read_tokens Array(Int64),
    call_cost Array(Decimal(38, 12)),
    call_hash Array(UInt64),
    call_heads Array(Array(UInt64)),
    call_head_tokens Array(Array(UInt32))
)
ENGINE = {engine:ReplacingMergeTree(version, is_deleted)}
ORDER BY (tenant, started_at, trace_id, model)
SETTINGS index_granularity = 1024{settings};

-- Their sums: in cube 0 of all, in 1 by project, in 2 by model, in 3 by both; what a cube does not tell apart is empty.
-- A bucket is `grain` seconds long from `start`, which is in seconds since 1970.
CREATE TABLE cost_totals_{g} (
    tenant String,
    cube UInt8,
    grain UInt32,
    project_id LowCardinality(String),
    model LowCardinality(String),
    start UInt32,
    environment LowCardinality(String),
    partition UInt16,
    version UInt64,
    traces Int64,
    uses Int64,
    calls Int64,
    unpriced_calls Int64,
    input_tokens Int64,
    output_tokens Int64,
    cache_read_tokens Int64,
    cache_write_tokens Int64,
    reasoning_tokens Int64,
    tokens Int64,
    timed_calls Int64,
    duration_us Int64,
    cost Decimal(38, 12)
)
ENGINE = {engine:ReplacingMergeTree(version)}
ORDER BY (tenant, cube, grain, project_id, model, start, environment, partition)
SETTINGS index_granularity = 1024{one part}{settings};

CREATE TABLE spans_{g} (
    tenant String,
    trace_id String,
    span_id String,
    version UInt64,
    is_deleted UInt8,
    ended_mask UInt32,
    parent_id Nullable(String),
    span_type LowCardinality(String),
    name String,
    model Nullable(String),
    started_at Nullable(DateTime64(6, 'UTC')),
    ended_at Nullable(DateTime64(6, 'UTC')),
    duration_us Nullable(Int64),
    input_tokens Nullable(Int64),
    output_tokens Nullable(Int64),
    cache_read_tokens Nullable(Int64),
    cache_write_tokens Nullable(Int64),
    reasoning_tokens Nullable(Int64),
    reported_cost Nullable(Decimal(38, 12)),
    cost Nullable(Decimal(38, 12)),
    cost_source LowCardinality(String),
    price_table String,
    agent_id Nullable(String),
    parent_agent_id Nullable(String),
    agent_role Nullable(String),
    failed UInt8,
    error_signature String,
    -- Hashes of what the call sent, 0 where it is not known, and of the prompt's beginnings, with lengths in bytes.
    prompt_hash UInt64,
    prompt_length UInt32,
    head_hashes Array(UInt64),
    head_lengths Array(UInt32),
    parameters_hash UInt64,
    -- The prompt that its metadata name; 0 where they name none.
    used_prompt UInt64,
    used_prompt_version Int64
)
ENGINE = {engine:ReplacingMergeTree(version, is_deleted)}
ORDER BY (tenant, trace_id, span_id)
SETTINGS index_granularity = 1024{settings};

CREATE TABLE cells_{g} (
    tenant String,
    trace_id String,
    span_id String,
    field LowCardinality(String),
    version UInt64,
    chunks UInt16,
    sha256 String,
    value String CODEC(ZSTD(1)),
    -- So that what a tenant stores is known without reading it.
    size UInt32 MATERIALIZED length(value)
)
ENGINE = {engine:ReplacingMergeTree(version)}
ORDER BY (tenant, trace_id, span_id, field)
SETTINGS index_granularity = 512{settings};

CREATE TABLE chunks_{g} (
    tenant String,
    trace_id String,
    sha256 String,
    n UInt16,
    version UInt64,
    data String CODEC(ZSTD(1)),
    size UInt32 MATERIALIZED length(data)
)
ENGINE = {engine:ReplacingMergeTree(version)}
ORDER BY (tenant, trace_id, sha256, n)
SETTINGS index_granularity = 512{settings};

CREATE TABLE feedback_{g} (
    tenant String,
    trace_id String,
    user_id String,
    version UInt64,
    is_deleted UInt8,
    value Int8,
    note Nullable(String),
    created_at DateTime64(6, 'UTC'),
    updated_at DateTime64(6, 'UTC')
)
ENGINE = {engine:ReplacingMergeTree(version, is_deleted)}
ORDER BY (tenant, trace_id, user_id)
SETTINGS index_granularity = 1024{settings};

-- Traces whose content is to be erased: deleted ones, and again whenever something late arrives for one.
CREATE TABLE erasures_{g} (
    partition UInt16,
    version UInt64,
    tenant String,
    trace_id String
)
ENGINE = {engine:ReplacingMergeTree(version)}
ORDER BY (partition, version)
SETTINGS index_granularity = 1024{settings};

CREATE TABLE checkpoints_{g} (
    topic String,
    partition UInt16,
    next_offset UInt64,
    log_id String,
    partitions UInt16,
    last_event String,
    at DateTime64(6, 'UTC')
)
ENGINE = {engine:ReplacingMergeTree(next_offset)}
ORDER BY (topic, partition)
SETTINGS index_granularity = 1024{settings};
