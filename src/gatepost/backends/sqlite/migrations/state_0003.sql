ALTER TABLE outbox ADD COLUMN earlier INTEGER NOT NULL DEFAULT 0;  -- attempts before the last replay
