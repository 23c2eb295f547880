-- Ingest nodes that serve WebSockets, each as it said last. Coordination, not a projection.
CREATE TABLE live_nodes (
    url text PRIMARY KEY,
    seen_at timestamptz NOT NULL
);
