-- Which generations of each projection exist, and which one is read. Coordination, not a projection.
CREATE TABLE generations (
    projection text NOT NULL,
    generation integer NOT NULL,
    live boolean NOT NULL,
    retired boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (projection, generation)
);
CREATE UNIQUE INDEX generations_live ON generations (projection) WHERE live;

-- Answers of writes that carried an Idempotency-Key. Coordination, not a projection.
CREATE TABLE idempotency (
    tenant text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_sha256 bytea NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now(),
    status integer,
    body jsonb,
    position text,
    PRIMARY KEY (tenant, route, key)
);
CREATE INDEX idempotency_age ON idempotency (claimed_at);
