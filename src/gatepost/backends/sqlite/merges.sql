-- name: keep
INSERT INTO merges (account, survivor, at, undone, document) VALUES (?, ?, ?, 0, ?);

-- name: get
SELECT id, undone, document FROM merges WHERE account = ? AND id = ?;

-- name: of
SELECT id, undone, document FROM merges WHERE account = ? AND survivor = ? ORDER BY id DESC;

-- name: newest
SELECT id, undone, document FROM merges WHERE account = ? AND survivor = ? AND undone = 0 ORDER BY id DESC LIMIT 1;

-- name: undo
UPDATE merges SET undone = ? WHERE account = ? AND id = ?;

-- name: prune
DELETE FROM merges WHERE id IN (SELECT id FROM merges WHERE at < ? ORDER BY id LIMIT ?);
