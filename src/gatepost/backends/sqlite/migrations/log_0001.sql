-- Events lie in one table a day (events_YYYYMMDD, made when first needed) that is dropped whole.
CREATE TABLE days (
  name TEXT PRIMARY KEY,
  first INTEGER NOT NULL            -- the smallest id in it
) WITHOUT ROWID;

CREATE TABLE facts (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;

-- Events' own ids, kept for 48 hours.
CREATE TABLE seen (
  account INTEGER NOT NULL,
  key TEXT NOT NULL,
  received INTEGER NOT NULL,
  PRIMARY KEY (account, key)
) WITHOUT ROWID;
CREATE INDEX seen_by_time ON seen (received);
