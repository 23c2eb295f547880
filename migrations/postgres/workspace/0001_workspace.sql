-- One generation of the workspace projection; `search_path` is its schema.
CREATE TABLE checkpoints (
    topic text NOT NULL,
    partition_id integer NOT NULL,
    next_offset bigint NOT NULL,
    log_id text NOT NULL,
    partitions integer NOT NULL,
    last_event text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition_id)
);

CREATE TABLE api_keys (
    tenant text NOT NULL,
    user_id text NOT NULL,
    org text,
    role text NOT NULL,
    prefix text NOT NULL,
    sha256 bytea NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    PRIMARY KEY (tenant, user_id)
);
CREATE INDEX api_keys_hash ON api_keys (sha256);

CREATE TABLE price_tables (
    hash text NOT NULL,
    scope text NOT NULL,
    body bytea NOT NULL,
    published_at timestamptz NOT NULL,
    partition_id integer NOT NULL,
    at_offset bigint NOT NULL,
    PRIMARY KEY (scope, hash)
);

CREATE TABLE erased (
    partition_id integer PRIMARY KEY,
    upto bigint NOT NULL,
    at timestamptz NOT NULL
);
