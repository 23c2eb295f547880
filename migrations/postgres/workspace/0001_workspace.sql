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
    topic text NOT NULL,
    partition_id integer NOT NULL,
    upto bigint NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (topic, partition_id)
);

-- What came of a command that is decided in the fold (ADR 0016): an HTTP status, with the version or the reason, and the
-- resource where the command could not name it.
CREATE TABLE command_outcomes (
    event_id uuid PRIMARY KEY,
    status smallint NOT NULL,
    version bigint,
    resource uuid,
    reason text
);

-- Sealed content of resources that are gone, for the eraser.
CREATE TABLE erasures (
    partition_id integer NOT NULL,
    at_offset bigint NOT NULL,
    tenant text NOT NULL,
    resource text NOT NULL,
    PRIMARY KEY (partition_id, at_offset, resource)
);

CREATE TABLE skills (
    tenant text NOT NULL,
    skill_id uuid NOT NULL,
    version bigint NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    definition text NOT NULL,
    scope text NOT NULL,
    tags text[] NOT NULL,
    is_public boolean NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, skill_id)
);
CREATE INDEX skills_by_age ON skills (tenant, created_at, skill_id);
CREATE INDEX skills_by_scope ON skills (tenant, scope, created_at, skill_id);

CREATE TABLE skill_tags (
    tenant text NOT NULL,
    tag text NOT NULL,
    created_at timestamptz NOT NULL,
    skill_id uuid NOT NULL,
    PRIMARY KEY (tenant, tag, created_at, skill_id)
);
CREATE INDEX skill_tags_of ON skill_tags (tenant, skill_id);

-- Every version, the current one too.
CREATE TABLE skill_versions (
    tenant text NOT NULL,
    skill_id uuid NOT NULL,
    version bigint NOT NULL,
    restores bigint,
    name text NOT NULL,
    description text NOT NULL,
    definition text NOT NULL,
    scope text NOT NULL,
    tags text[] NOT NULL,
    is_public boolean NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, skill_id, version)
);

CREATE TABLE prompts (
    tenant text NOT NULL,
    prompt_id uuid NOT NULL,
    -- Decides: the name itself may be erased.
    name_hash bytea NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    latest_version bigint NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, prompt_id),
    UNIQUE (tenant, name_hash)
);
CREATE INDEX prompts_by_age ON prompts (tenant, created_at, prompt_id);

-- Where each label of a prompt points; when the prompt was made, for the list by label.
CREATE TABLE prompt_labels (
    tenant text NOT NULL,
    prompt_id uuid NOT NULL,
    label text NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, prompt_id, label)
);
CREATE INDEX prompt_labels_by_age ON prompt_labels (tenant, label, created_at, prompt_id);

CREATE TABLE prompt_versions (
    tenant text NOT NULL,
    prompt_id uuid NOT NULL,
    version bigint NOT NULL,
    content text,
    messages text,
    variables text[] NOT NULL,
    model text,
    config text,
    message text,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, prompt_id, version)
);

CREATE TABLE memory (
    tenant text NOT NULL,
    memory_id uuid NOT NULL,
    key_hash bytea NOT NULL,
    version bigint NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    scope text NOT NULL,
    category text NOT NULL,
    confidence double precision NOT NULL,
    project_id text,
    session_id text,
    expires_at timestamptz,
    -- What search looks at. The tenant is in it as a word that no text makes, so that the index finds no other tenant's.
    words tsvector NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, memory_id),
    UNIQUE (tenant, key_hash)
);
-- Lists count what has not expired: in the index alone.
CREATE INDEX memory_by_age ON memory (tenant, created_at, memory_id) INCLUDE (expires_at);
CREATE INDEX memory_by_scope ON memory (tenant, scope, created_at, memory_id) INCLUDE (expires_at);
CREATE INDEX memory_by_category ON memory (tenant, category, created_at, memory_id) INCLUDE (expires_at);
CREATE INDEX memory_by_scope_and_category ON memory (tenant, scope, category, created_at, memory_id)
    INCLUDE (expires_at);
CREATE INDEX memory_by_project ON memory (tenant, project_id, created_at, memory_id) INCLUDE (expires_at)
    WHERE project_id IS NOT NULL;
CREATE INDEX memory_by_session ON memory (tenant, session_id, created_at, memory_id) INCLUDE (expires_at)
    WHERE session_id IS NOT NULL;
CREATE INDEX memory_by_key ON memory (tenant, key, created_at, memory_id) INCLUDE (expires_at);
CREATE INDEX memory_by_words ON memory USING gin (words);

-- Under which subjects the contents of an entry were sealed: each time it was stored under another.
CREATE TABLE memory_owners (
    tenant text NOT NULL,
    memory_id uuid NOT NULL,
    owner text NOT NULL,
    PRIMARY KEY (tenant, memory_id, owner)
);
