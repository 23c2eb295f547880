-- Which tables a generation has: another version's are made anew from the log. Null: made before this was recorded.
ALTER TABLE generations ADD COLUMN layout text;
-- It took the place of another version's and has not come to the log's end yet.
ALTER TABLE generations ADD COLUMN filling boolean NOT NULL DEFAULT false;
