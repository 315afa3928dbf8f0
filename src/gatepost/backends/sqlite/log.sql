-- name: last_id
SELECT value FROM facts WHERE name = 'last_id';

-- name: keep_last_id
INSERT INTO facts VALUES ('last_id', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: collected
SELECT name, value FROM facts WHERE name LIKE 'collected\_%' ESCAPE '\';

-- name: collect
INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value;

-- name: days
SELECT name, first FROM days ORDER BY first;

-- name: add_day
INSERT INTO days VALUES (?, ?);

-- name: remove_day
DELETE FROM days WHERE name = ?;

-- name: recall
INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT (account, key) DO NOTHING;

-- name: forget
DELETE FROM seen WHERE (account, key) IN (SELECT account, key FROM seen WHERE received < ? ORDER BY received LIMIT 2000);

-- name: forget_key
DELETE FROM seen WHERE account = ? AND instr(lower(key), lower(?));
