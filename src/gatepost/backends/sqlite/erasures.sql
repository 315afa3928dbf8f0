-- name: put
INSERT INTO erasures (account, id, document, work) VALUES (?1, ?2, ?3, coalesce(?4, x''))
ON CONFLICT (account, id) DO UPDATE SET document = excluded.document, work = coalesce(?4, work);

-- name: get
SELECT document FROM erasures WHERE account = ? AND id = ?;

-- name: work
SELECT work FROM erasures WHERE account = ? AND id = ?;

-- name: newest
SELECT document FROM erasures WHERE account = ? ORDER BY place DESC LIMIT ?;

-- name: exclude
INSERT INTO exclusions VALUES (?, ?, ?) ON CONFLICT (account, hash) DO UPDATE SET until = max(until, excluded.until);

-- name: exclude_until
UPDATE facts SET value = max(value, ?) WHERE name = 'excluded_until';

-- name: latest_exclusion
SELECT value FROM facts WHERE name = 'excluded_until';

-- name: excluded
SELECT 1 FROM exclusions WHERE account = ? AND hash = ? AND until > ?;

-- name: doom
INSERT INTO doomed VALUES (?, ?, ?) ON CONFLICT DO NOTHING;

-- name: doomed
SELECT key FROM doomed WHERE request = ? AND kind = ? ORDER BY key LIMIT ?;

-- name: is_doomed
SELECT 1 FROM doomed WHERE request = ? AND kind = ? AND key = ?;

-- name: spare
DELETE FROM doomed WHERE request = ? AND kind = ? AND key = ?;

-- name: remove_profile
DELETE FROM profiles WHERE account = ? AND number = ?;

-- name: remove_identifier
DELETE FROM identifiers WHERE account = ? AND field = ? AND value = ? AND profile = ?;

-- name: remove_timer
DELETE FROM timers WHERE due = ? AND account = ? AND profile = ?;

-- name: remove_trails
DELETE FROM trails WHERE account = ? AND profile = ?;

-- name: audiences_of
SELECT audience FROM audience_sizes WHERE account = ?;

-- name: leave
DELETE FROM memberships WHERE account = ? AND audience = ? AND profile = ?;

-- name: shrink
UPDATE audience_sizes SET size = size - 1 WHERE account = ? AND audience = ?;

-- name: unfinished
SELECT seq, id, snapshot, destination FROM outbox WHERE account = ? AND profile = ?;

-- name: remove_unfinished
DELETE FROM outbox WHERE seq = ?;

-- name: wait_no_more
DELETE FROM outbox_parted WHERE profile = ?;

-- name: merges
SELECT id, undone, document FROM merges WHERE id > ? AND account = ? ORDER BY id LIMIT ?;

-- name: remove_merge
DELETE FROM merges WHERE id = ?;

-- name: replace_merge
UPDATE merges SET document = ? WHERE id = ?;

-- name: lines
SELECT id, document FROM job_logs WHERE id > ? AND account = ? ORDER BY id LIMIT ?;

-- name: remove_line
DELETE FROM job_logs WHERE id = ?;

-- name: poisons
SELECT event, error FROM poisons WHERE account = ?;

-- name: blank_poison
UPDATE poisons SET error = 'erased on request' WHERE event = ?;

-- name: count_lost_snapshots
SELECT count(*) FROM snapshots WHERE id NOT IN (SELECT snapshot FROM outbox);

-- name: count_doomed
SELECT count(*) FROM doomed WHERE request = ?;
