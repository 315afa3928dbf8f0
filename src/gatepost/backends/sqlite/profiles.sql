-- name: find
SELECT value, profile FROM identifiers WHERE account = ? AND field = ? AND value IN (?);

-- name: load
SELECT number, document FROM profiles WHERE account = ? AND number IN (?);

-- name: save
INSERT INTO profiles VALUES (?, ?, ?) ON CONFLICT (account, number) DO UPDATE SET document = excluded.document;

-- name: remove
DELETE FROM profiles WHERE account = ? AND number = ?;

-- name: scan
SELECT document FROM profiles WHERE account = ? AND number > ? ORDER BY number LIMIT ?;

-- name: count
SELECT count(*) FROM profiles WHERE account = ?;

-- name: last
SELECT max(number) FROM profiles WHERE account = ?;

-- name: identify
INSERT INTO identifiers VALUES (?, ?, ?, ?) ON CONFLICT (account, field, value) DO UPDATE SET profile = excluded.profile;

-- name: release
DELETE FROM identifiers WHERE account = ? AND field = ? AND value = ?;

-- name: remove_timer
DELETE FROM timers WHERE due = ? AND account = ? AND profile = ?;

-- name: add_timer
INSERT INTO timers VALUES (?, ?, ?) ON CONFLICT DO NOTHING;

-- name: due
SELECT due, account, profile FROM timers WHERE due <= ? ORDER BY due LIMIT ?;

-- name: next_due
SELECT min(due) FROM timers;

-- name: spill
INSERT INTO trails VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- name: trail
SELECT events FROM trails WHERE account = ? AND profile = ? ORDER BY first;

-- name: rekey_trails
UPDATE OR IGNORE trails SET profile = ? WHERE account = ? AND profile = ?;

-- name: allocate
UPDATE facts SET value = value + 1 WHERE name = 'last_profile' RETURNING value;

-- name: enter
INSERT INTO memberships VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account, audience, profile) DO UPDATE SET since = excluded.since, place = excluded.place;

-- name: leave
DELETE FROM memberships WHERE account = ? AND audience = ? AND profile = ?;

-- name: rekey_memberships
UPDATE OR IGNORE memberships SET profile = ? WHERE account = ? AND profile = ? AND audience = ?;

-- name: forget_trails
DELETE FROM trails WHERE account = ? AND profile = ?;

-- name: divide_memberships
INSERT INTO memberships SELECT account, audience, ?, since, place FROM memberships
WHERE account = ? AND audience = ? AND profile = ?;

-- name: audiences_of
SELECT DISTINCT audience FROM audience_sizes WHERE account = ?;

-- name: members
SELECT profile, since, place FROM memberships WHERE account = ? AND audience = ? AND profile > ? ORDER BY profile LIMIT ?;

-- name: sizes
SELECT audience, size, entered, departed FROM audience_sizes WHERE account = ?;

-- name: resize
INSERT INTO audience_sizes VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account, audience) DO UPDATE
SET size = size + excluded.size, entered = entered + excluded.entered, departed = departed + excluded.departed;

-- name: last_order
SELECT value FROM facts WHERE name = 'last_order';

-- name: reserve
UPDATE facts SET value = value + ? WHERE name = 'last_order' RETURNING value;

-- name: forget_members
DELETE FROM memberships WHERE account = ? AND audience = ?;

-- name: forget_size
DELETE FROM audience_sizes WHERE account = ? AND audience = ?;

-- name: note_size
INSERT INTO audience_history SELECT account, audience, ?, size, entered, departed FROM audience_sizes
WHERE account = ? AND audience = ?
ON CONFLICT (account, audience, hour) DO UPDATE
SET size = excluded.size, entered = excluded.entered, departed = excluded.departed;

-- name: history
SELECT hour, size, entered, departed FROM audience_history WHERE account = ? AND audience = ? AND hour >=
ifnull((SELECT max(hour) FROM audience_history WHERE account = ? AND audience = ? AND hour < ?), 0) ORDER BY hour;

-- name: prune_history
DELETE FROM audience_history WHERE (account, audience, hour) IN (
  SELECT old.account, old.audience, old.hour FROM audience_history AS old WHERE old.hour < ? AND EXISTS (
    SELECT 1 FROM audience_history AS newer
    WHERE newer.account = old.account AND newer.audience = old.audience AND newer.hour > old.hour AND newer.hour <= ?
  ) LIMIT ?
);

-- name: forget_history
DELETE FROM audience_history WHERE account = ? AND audience = ?;
