-- Two erasures may be under way at once, and each has to count what went for it.
DROP TABLE doomed;
CREATE TABLE doomed (
  request TEXT NOT NULL,            -- empty for events that came too late
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (request, kind, key)
) WITHOUT ROWID;
