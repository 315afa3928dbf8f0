-- Each merge with both profiles as they were, so that it can be undone.
CREATE TABLE merges (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account INTEGER NOT NULL,
  survivor INTEGER NOT NULL,
  at INTEGER NOT NULL,
  undone INTEGER NOT NULL,          -- when it was undone, else 0
  document BLOB NOT NULL            -- zlib over MessagePack of ports.merges.Merge
);
CREATE INDEX merges_by_survivor ON merges (account, survivor);
CREATE INDEX merges_by_time ON merges (at);
