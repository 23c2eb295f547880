-- Tokens that a tenant's questions to a model have taken on a day (UTC), with those that are reserved. Coordination, not
-- a projection.
CREATE TABLE model_tokens (
    tenant text NOT NULL,
    day date NOT NULL,
    tokens bigint NOT NULL,
    PRIMARY KEY (tenant, day)
);
