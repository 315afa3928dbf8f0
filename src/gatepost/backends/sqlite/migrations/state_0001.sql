CREATE TABLE facts (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO facts VALUES ('position', 0), ('audience_time', 0), ('catalog_version', 0), ('last_order', 0), ('last_profile', 0);

CREATE TABLE catalog (
  account INTEGER NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  place INTEGER NOT NULL,           -- order of creation
  document BLOB NOT NULL,           -- JSON
  PRIMARY KEY (account, kind, id)
) WITHOUT ROWID;

CREATE TABLE profiles (
  account INTEGER NOT NULL,
  number INTEGER NOT NULL,
  document BLOB NOT NULL,           -- MessagePack of model.profile.Profile
  PRIMARY KEY (account, number)
) WITHOUT ROWID;

-- `_id` is an identifier like the others; after a merge it leads to the survivor.
CREATE TABLE identifiers (
  account INTEGER NOT NULL,
  field TEXT NOT NULL,
  value TEXT NOT NULL,
  profile INTEGER NOT NULL,
  PRIMARY KEY (account, field, value)
) WITHOUT ROWID;

CREATE TABLE memberships (
  account INTEGER NOT NULL,
  audience INTEGER NOT NULL,
  profile INTEGER NOT NULL,
  since INTEGER NOT NULL,
  place INTEGER NOT NULL,           -- among all transitions of the store
  PRIMARY KEY (account, audience, profile)
) WITHOUT ROWID;

CREATE TABLE audience_sizes (
  account INTEGER NOT NULL,
  audience INTEGER NOT NULL,
  size INTEGER NOT NULL,
  entered INTEGER NOT NULL,
  departed INTEGER NOT NULL,
  PRIMARY KEY (account, audience)
) WITHOUT ROWID;

CREATE TABLE timers (
  due INTEGER NOT NULL,
  account INTEGER NOT NULL,
  profile INTEGER NOT NULL,
  PRIMARY KEY (due, account, profile)
) WITHOUT ROWID;

-- Ids of the events folded into a profile, oldest first, spilled from the profile in pieces.
CREATE TABLE trails (
  account INTEGER NOT NULL,
  profile INTEGER NOT NULL,
  first INTEGER NOT NULL,
  events BLOB NOT NULL,             -- MessagePack array
  PRIMARY KEY (account, profile, first)
) WITHOUT ROWID;

CREATE TABLE snapshots (
  id INTEGER PRIMARY KEY,
  shared INTEGER NOT NULL,          -- deliveries that still need it
  body BLOB NOT NULL                -- zlib over JSON
);

CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  account INTEGER NOT NULL,
  job TEXT NOT NULL,
  destination INTEGER NOT NULL,
  profile INTEGER NOT NULL,
  audience INTEGER NOT NULL,
  crossing TEXT NOT NULL,
  at INTEGER NOT NULL,
  transition INTEGER NOT NULL,
  snapshot INTEGER NOT NULL,
  hops INTEGER NOT NULL,
  state TEXT NOT NULL,
  due INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  first_attempt INTEGER NOT NULL,
  body BLOB,
  created INTEGER NOT NULL,
  head INTEGER NOT NULL,            -- 1: nothing earlier of the same profile and destination is unfinished
  worker TEXT NOT NULL DEFAULT '',
  lease_until INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX outbox_ready ON outbox (destination, due, seq) WHERE head = 1 AND state IN ('waiting', 'retrying');
CREATE INDEX outbox_leased ON outbox (lease_until) WHERE state = 'leased';
CREATE INDEX outbox_key ON outbox (destination, profile, seq);
CREATE INDEX outbox_profile ON outbox (account, profile);
CREATE INDEX outbox_job ON outbox (account, job, seq);

-- Finished deliveries and attempts lie in tables of a day: finished_YYYYMMDD, attempts_YYYYMMDD.
CREATE TABLE days (
  name TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  day TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE delivery_counts (
  account INTEGER NOT NULL,
  job TEXT NOT NULL,
  state TEXT NOT NULL,
  amount INTEGER NOT NULL,
  PRIMARY KEY (account, job, state)
) WITHOUT ROWID;

CREATE TABLE duties (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account INTEGER NOT NULL,
  document BLOB NOT NULL            -- JSON of ports.catalog.Duty
);

CREATE TABLE job_logs (
  id INTEGER PRIMARY KEY,
  account INTEGER NOT NULL,
  job TEXT NOT NULL,
  at INTEGER NOT NULL,
  document BLOB NOT NULL            -- JSON of ports.catalog.LogEntry
);
CREATE INDEX job_logs_by_job ON job_logs (account, job, at);
CREATE INDEX job_logs_by_time ON job_logs (account, at);

CREATE TABLE counters (
  account INTEGER NOT NULL,
  name TEXT NOT NULL,
  amount INTEGER NOT NULL,
  PRIMARY KEY (account, name)
) WITHOUT ROWID;

CREATE TABLE poisons (
  event INTEGER PRIMARY KEY,
  account INTEGER NOT NULL,
  stream TEXT NOT NULL,
  error TEXT NOT NULL,
  at INTEGER NOT NULL
);
