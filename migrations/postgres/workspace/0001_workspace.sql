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

-- The keys in force: of a user the current one, which has no name, and named ones.
CREATE TABLE api_keys (
    tenant text NOT NULL,
    key_id uuid NOT NULL,
    version bigint NOT NULL,
    is_current boolean NOT NULL,
    user_id text NOT NULL,
    org text,
    role text NOT NULL,
    name text,
    prefix text NOT NULL,
    sha256 bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    PRIMARY KEY (tenant, key_id)
);
CREATE UNIQUE INDEX api_keys_current ON api_keys (tenant, user_id) WHERE is_current;
CREATE INDEX api_keys_hash ON api_keys (sha256);
CREATE INDEX api_keys_by_age ON api_keys (tenant, created_at, key_id);
CREATE INDEX api_keys_by_user ON api_keys (tenant, user_id, created_at, key_id);

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

-- Whoever has had a bearer token or an API key of the tenant.
CREATE TABLE members (
    tenant text NOT NULL,
    user_id text NOT NULL,
    role text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, user_id)
);
CREATE TABLE datasets (
    tenant text NOT NULL,
    dataset_id uuid NOT NULL,
    -- Decides: the name itself may be erased.
    name_hash bytea NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    version bigint NOT NULL,
    item_count bigint NOT NULL,
    -- Of the item that came last.
    last_position bigint NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, dataset_id),
    UNIQUE (tenant, name_hash)
);
CREATE INDEX datasets_by_age ON datasets (tenant, created_at, dataset_id);

-- Every version, the current one too: how many items it has, and beyond which position there are none.
CREATE TABLE dataset_versions (
    tenant text NOT NULL,
    dataset_id uuid NOT NULL,
    version bigint NOT NULL,
    change text NOT NULL,
    item_count bigint NOT NULL,
    last_position bigint NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, dataset_id, version)
);

-- Items as they were from one version of the dataset until before another; the last bigint: until now.
CREATE TABLE dataset_items (
    tenant text NOT NULL,
    dataset_id uuid NOT NULL,
    item_id uuid NOT NULL,
    from_version bigint NOT NULL,
    to_version bigint NOT NULL,
    position bigint NOT NULL,
    erased boolean NOT NULL,
    -- Bytes of what follows, which decide; 0 for none.
    input_bytes bigint NOT NULL,
    expected_output_bytes bigint NOT NULL,
    metadata_bytes bigint NOT NULL,
    source_bytes bigint NOT NULL,
    input text,
    expected_output text,
    metadata text,
    source text,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, dataset_id, item_id, from_version)
);
CREATE UNIQUE INDEX dataset_items_now ON dataset_items (tenant, dataset_id, position)
    WHERE to_version = 9223372036854775807;
-- Versions are told apart in the index alone.
CREATE UNIQUE INDEX dataset_items_then ON dataset_items (tenant, dataset_id, position, from_version, to_version);

-- Items of imports whose last ones have not come.
CREATE TABLE dataset_imports (
    tenant text NOT NULL,
    dataset_id uuid NOT NULL,
    item_id uuid NOT NULL,
    import_id uuid NOT NULL,
    place bigint NOT NULL,
    input_bytes bigint NOT NULL,
    expected_output_bytes bigint NOT NULL,
    metadata_bytes bigint NOT NULL,
    source_bytes bigint NOT NULL,
    input text,
    expected_output text,
    metadata text,
    source text,
    created_by text NOT NULL,
    came_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, dataset_id, item_id)
);
CREATE INDEX dataset_imports_by_age ON dataset_imports (tenant, dataset_id, came_at);
CREATE INDEX dataset_imports_by_place ON dataset_imports (tenant, dataset_id, import_id, place);
-- What a tenant has now, of all that was said: of the subscription that counts, the newest word.
CREATE TABLE plans (
    tenant text PRIMARY KEY,
    plan text NOT NULL,
    status text NOT NULL,
    source text NOT NULL,
    subscription_id text NOT NULL,
    customer_id text NOT NULL,
    subscribed_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    since timestamptz NOT NULL,
    ends_at timestamptz
);

-- All that was said of a tenant's plan, in log order; `since` and `ends_at` are as they held with it.
CREATE TABLE plan_changes (
    tenant text NOT NULL,
    number bigint NOT NULL,
    event_id uuid NOT NULL,
    plan text NOT NULL,
    status text NOT NULL,
    source text NOT NULL,
    cause text NOT NULL,
    subscription_id text NOT NULL,
    customer_id text NOT NULL,
    subscribed_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    since timestamptz NOT NULL,
    ends_at timestamptz,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, number)
);
CREATE INDEX plan_changes_newest ON plan_changes (tenant, subscription_id, occurred_at, number);
-- How much is said of a trace, and whether the trace is deleted, so that nothing is said of it any more.
CREATE TABLE discussions (
    tenant text NOT NULL,
    trace_id text NOT NULL,
    comments bigint NOT NULL,
    assignments bigint NOT NULL,
    is_closed boolean NOT NULL,
    PRIMARY KEY (tenant, trace_id)
);

CREATE TABLE comments (
    tenant text NOT NULL,
    comment_id uuid NOT NULL,
    trace_id text NOT NULL,
    span_id text,
    -- Of a reply: the first comment of its thread, and the one that it answers.
    parent_id uuid,
    reply_to_id uuid,
    version bigint NOT NULL,
    body text NOT NULL,
    mentions text[] NOT NULL,
    -- Of the thread that it begins.
    reply_count bigint NOT NULL,
    is_deleted boolean NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    edited_at timestamptz,
    PRIMARY KEY (tenant, comment_id)
);
CREATE INDEX comments_by_trace ON comments (tenant, trace_id, created_at, comment_id);
CREATE INDEX comments_by_span ON comments (tenant, trace_id, span_id, created_at, comment_id) WHERE span_id IS NOT NULL;

CREATE TABLE assignments (
    tenant text NOT NULL,
    assignment_id uuid NOT NULL,
    trace_id text NOT NULL,
    assignee_id text NOT NULL,
    status text NOT NULL,
    note text NOT NULL,
    version bigint NOT NULL,
    -- Who chose the assignee.
    assigned_by text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, assignment_id)
);
CREATE INDEX assignments_by_age ON assignments (tenant, created_at, assignment_id);
CREATE INDEX assignments_by_status ON assignments (tenant, status, created_at, assignment_id);
CREATE INDEX assignments_by_assignee ON assignments (tenant, assignee_id, created_at, assignment_id);
CREATE INDEX assignments_by_assignee_and_status ON assignments (tenant, assignee_id, status, created_at, assignment_id);
CREATE INDEX assignments_by_trace ON assignments (tenant, trace_id, created_at, assignment_id);

-- What users are told: references, no text. In the order of the log.
CREATE TABLE notifications (
    tenant text NOT NULL,
    notification_id uuid NOT NULL,
    user_id text NOT NULL,
    at_offset bigint NOT NULL,
    kind text NOT NULL,
    trace_id text NOT NULL,
    comment_id uuid,
    assignment_id uuid,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    read_at timestamptz,
    PRIMARY KEY (tenant, notification_id)
);
CREATE INDEX notifications_of ON notifications (tenant, user_id, at_offset);
CREATE INDEX notifications_unread ON notifications (tenant, user_id, at_offset) WHERE read_at IS NULL;
CREATE INDEX notifications_about ON notifications (tenant, trace_id);

-- Snapshots of traces that are published.
CREATE TABLE tapes (
    tenant text NOT NULL,
    tape_id uuid NOT NULL,
    version bigint NOT NULL,
    slug text NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    tags text[] NOT NULL,
    is_public boolean NOT NULL,
    featured boolean NOT NULL,
    -- None: it was imported.
    trace_id text,
    steps bigint NOT NULL,
    sha256 text NOT NULL,
    bytes bigint NOT NULL,
    status text NOT NULL,
    duration_us bigint,
    tokens bigint NOT NULL,
    cost text NOT NULL,
    models text[] NOT NULL,
    views bigint NOT NULL,
    -- The last day that has one, in days since 1970; 0: none.
    viewed_on bigint NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, tape_id)
);
CREATE INDEX tapes_by_age ON tapes (tenant, created_at, tape_id);
CREATE INDEX tapes_by_trace ON tapes (tenant, trace_id) WHERE trace_id IS NOT NULL;
-- Whoever has a slug does not know whose it is.
CREATE INDEX tapes_by_id ON tapes (tape_id);
CREATE INDEX tapes_newest ON tapes (created_at, tape_id) WHERE is_public;
CREATE INDEX tapes_popular ON tapes (views, created_at, tape_id) WHERE is_public;
CREATE INDEX tapes_featured ON tapes (created_at, tape_id) WHERE is_public AND featured;
CREATE INDEX tapes_by_tag ON tapes USING gin (tags) WHERE is_public;

-- The lines of tapes, also of those that are not published yet: 0 is the trace, its steps are from 1 on.
CREATE TABLE tape_pieces (
    tenant text NOT NULL,
    tape_id uuid NOT NULL,
    line bigint NOT NULL,
    piece bigint NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (tenant, tape_id, line, piece)
);

-- What a timeline shows of the steps.
CREATE TABLE tape_steps (
    tenant text NOT NULL,
    tape_id uuid NOT NULL,
    line bigint NOT NULL,
    span_id text NOT NULL,
    parent bigint,
    span_type text NOT NULL,
    name text NOT NULL,
    model text,
    offset_us bigint,
    duration_us bigint,
    input_tokens bigint,
    output_tokens bigint,
    cost text,
    failed boolean NOT NULL,
    PRIMARY KEY (tenant, tape_id, line)
);

-- How much has come of tapes that are not published yet.
CREATE TABLE tape_uploads (
    tenant text NOT NULL,
    tape_id uuid NOT NULL,
    snapshot_id uuid NOT NULL,
    pieces bigint NOT NULL,
    came_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, tape_id)
);
CREATE INDEX tape_uploads_by_age ON tape_uploads (tenant, came_at);

CREATE TABLE tape_views (
    tenant text NOT NULL,
    tape_id uuid NOT NULL,
    -- Since 1970, in UTC.
    day bigint NOT NULL,
    views bigint NOT NULL,
    PRIMARY KEY (tenant, tape_id, day)
);
CREATE INDEX tape_views_by_day ON tape_views (day);

-- Of a tape's last two days: who is counted already.
CREATE TABLE tape_viewers (
    tenant text NOT NULL,
    tape_id uuid NOT NULL,
    day bigint NOT NULL,
    viewer bytea NOT NULL,
    PRIMARY KEY (tenant, tape_id, day, viewer)
);

-- Traces whose tapes were erased with them: no other one comes to be.
CREATE TABLE untaped_traces (
    tenant text NOT NULL,
    trace_id text NOT NULL,
    PRIMARY KEY (tenant, trace_id)
);
