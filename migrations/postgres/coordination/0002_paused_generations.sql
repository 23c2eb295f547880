-- Until then no projector writes the generation: a rebuild hands its reads over. A lease, so that an interrupted rebuild
-- holds nothing up.
ALTER TABLE generations ADD COLUMN paused_until timestamptz;
