-- name: days
SELECT name, first FROM days ORDER BY first;

-- name: make_events
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  stream TEXT NOT NULL,
  at INTEGER NOT NULL,
  body BLOB NOT NULL,
  hops INTEGER NOT NULL
);

-- name: keep
INSERT INTO events VALUES (?, ?, ?, ?, ?, ?);

-- name: in_order
SELECT id, kind, stream, at, body, hops FROM events ORDER BY at, id;
