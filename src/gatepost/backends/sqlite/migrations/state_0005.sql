-- Erasures of people, and in the end their receipts; identifiers are held as keyed hashes only.
CREATE TABLE erasures (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  account INTEGER NOT NULL,
  id TEXT NOT NULL,
  document BLOB NOT NULL,           -- JSON of model.erasure.Erasure
  work BLOB NOT NULL,               -- sealed; what it still has to look for, empty once it is complete
  UNIQUE (account, id)
);

-- Events up to an instant that hold one of these identifiers are not folded any more.
CREATE TABLE exclusions (
  account INTEGER NOT NULL,
  hash TEXT NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (account, hash)
) WITHOUT ROWID;
INSERT INTO facts VALUES ('excluded_until', 0);

-- Ids of events and deliveries that have to go.
CREATE TABLE doomed (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;
