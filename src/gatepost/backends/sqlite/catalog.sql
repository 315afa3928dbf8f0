-- name: version
SELECT value FROM facts WHERE name = 'catalog_version';

-- name: raise_version
UPDATE facts SET value = value + 1 WHERE name = 'catalog_version';

-- name: get
SELECT document FROM catalog WHERE account = ? AND kind = ? AND id = ?;

-- name: list
SELECT document FROM catalog WHERE account = ? AND kind = ? ORDER BY place;

-- name: ids
SELECT id FROM catalog WHERE account = ? AND kind = ? AND id >= ? AND id < ? ORDER BY place;

-- name: newest
SELECT document FROM catalog WHERE account = ?1 AND kind = ?2 AND id =
  (SELECT id FROM catalog WHERE account = ?1 AND kind = ?2 ORDER BY place DESC LIMIT 1);

-- name: list_all
SELECT document FROM catalog WHERE kind = ? ORDER BY place;

-- name: put
INSERT INTO catalog VALUES (?, ?, ?, (SELECT coalesce(max(place), 0) + 1 FROM catalog), ?)
ON CONFLICT (account, kind, id) DO UPDATE SET document = excluded.document;

-- name: remove
DELETE FROM catalog WHERE account = ? AND kind = ? AND id = ?;

-- name: number
INSERT INTO facts VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value;

-- name: fact
SELECT value FROM facts WHERE name = ?;

-- name: set_fact
UPDATE facts SET value = ? WHERE name = ?;

-- name: duties
SELECT id, document FROM duties ORDER BY id;

-- name: add_duty
INSERT INTO duties (account, document) VALUES (?, ?);

-- name: change_duty
UPDATE duties SET document = ? WHERE id = ?;

-- name: end_duty
DELETE FROM duties WHERE id = ?;

-- name: write_log
INSERT INTO job_logs (account, job, at, document) VALUES (?, ?, ?, ?);

-- name: read_job_log
SELECT document FROM (SELECT id, document FROM job_logs WHERE account = ? AND job = ? AND at >= ? ORDER BY id DESC LIMIT ?) ORDER BY id;

-- name: read_log
SELECT document FROM (SELECT id, document FROM job_logs WHERE account = ? AND at >= ? ORDER BY id DESC LIMIT ?) ORDER BY id;

-- name: prune_log
DELETE FROM job_logs WHERE id IN (SELECT id FROM job_logs WHERE at < ? ORDER BY id LIMIT ?);

-- name: count
INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT (account, name) DO UPDATE SET amount = amount + excluded.amount;

-- name: counters
SELECT name, amount FROM counters WHERE account = ?;

-- name: set_aside
INSERT INTO poisons VALUES (?, ?, ?, ?, ?) ON CONFLICT (event) DO UPDATE SET error = excluded.error;

-- name: poisons
SELECT event, account, stream, error, at FROM poisons WHERE account = ? ORDER BY event DESC LIMIT ?;
