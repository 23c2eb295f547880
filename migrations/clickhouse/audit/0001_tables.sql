-- One generation (`{g}`) of the audit projection: every write of both topics. A row never changes: it is made of its record
-- and of the row before it in its chain, that of (tenant, topic, partition), and may be written any number of times.

CREATE TABLE audit_log_{g} (
    tenant String,
    topic LowCardinality(String),
    partition UInt16,
    at_offset UInt64,
    -- Its number in the chain, from 1.
    nth UInt64,
    event_id String,
    kind LowCardinality(String),
    subject String,
    time DateTime64(6, 'UTC'),
    actor String,
    request_id String,
    -- Address, user and credentials, sealed under the tenant's key of the month; empty where nobody's request wrote it.
    client String,
    -- What the event says in the clear, as JSON; empty where it could not be read.
    facts String,
    -- SHA-256, 32 bytes each.
    content_hash String,
    previous String,
    hash String,
    -- Within a chain times follow the offsets, but for clocks.
    INDEX times time TYPE minmax GRANULARITY 1
)
ENGINE = {engine:ReplacingMergeTree(nth)}
ORDER BY (tenant, topic, partition, at_offset)
SETTINGS index_granularity = 1024{settings};

CREATE TABLE audit_checkpoints_{g} (
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
