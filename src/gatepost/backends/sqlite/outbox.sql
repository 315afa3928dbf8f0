-- name: add_snapshot
INSERT INTO snapshots (shared, body) VALUES (?, ?);

-- name: snapshot
SELECT body FROM snapshots WHERE id = ?;

-- name: share_less
UPDATE snapshots SET shared = shared - 1 WHERE id = ?;

-- name: drop_snapshot
DELETE FROM snapshots WHERE id = ? AND shared <= 0;

-- name: known
SELECT 1 FROM outbox WHERE id = ?;

-- name: enqueue
INSERT INTO outbox (id, account, job, destination, profile, audience, crossing, at, transition, snapshot, hops, state, due,
                    attempts, first_attempt, created, head)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, 0, ?14,
        NOT EXISTS (SELECT 1 FROM outbox WHERE destination = ?4 AND profile = ?5)
        AND NOT EXISTS (SELECT 1 FROM outbox_parted AS p CROSS JOIN outbox AS o ON o.seq = p.seq
                        WHERE p.profile = ?5 AND o.destination = ?4));

-- name: requeue
INSERT INTO outbox (id, account, job, destination, profile, audience, crossing, at, transition, snapshot, hops, state, due,
                    attempts, first_attempt, created, earlier, head)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'waiting', 0, ?12, 0, ?13, ?12,
        NOT EXISTS (SELECT 1 FROM outbox WHERE destination = ?4 AND profile = ?5)
        AND NOT EXISTS (SELECT 1 FROM outbox_parted AS p CROSS JOIN outbox AS o ON o.seq = p.seq
                        WHERE p.profile = ?5 AND o.destination = ?4));

-- name: claim
UPDATE outbox
SET state = 'leased', worker = ?, lease_until = ?, attempts = attempts + 1,
    first_attempt = CASE first_attempt WHEN 0 THEN ? ELSE first_attempt END
WHERE seq IN (SELECT seq FROM outbox
              WHERE destination = ? AND head = 1 AND state IN ('waiting', 'retrying') AND due <= ?
              ORDER BY due, seq LIMIT ?)
RETURNING seq, id, account, job, destination, profile, audience, crossing, at, transition, snapshot, hops, state, due,
          attempts, first_attempt, body, created, earlier;

-- name: store_body
UPDATE outbox SET body = ? WHERE seq = ? AND snapshot = ?;

-- name: held_leases
SELECT seq, snapshot FROM outbox WHERE worker = ? AND state = 'leased' AND seq IN (SELECT value FROM json_each(?));

-- name: postpone
UPDATE outbox SET state = ?, due = ?, worker = '', lease_until = 0 WHERE seq = ? RETURNING destination, profile;

-- name: give_back
UPDATE outbox SET state = ?, due = ?, worker = '', lease_until = 0, attempts = attempts - 1 WHERE seq = ?
RETURNING destination, profile;

-- name: remove
DELETE FROM outbox WHERE seq IN (SELECT value FROM json_each(?)) RETURNING destination, profile, seq;

-- name: remove_parted
DELETE FROM outbox_parted WHERE seq IN (SELECT value FROM json_each(?)) RETURNING profile, seq;

-- name: promote
UPDATE outbox SET head = 1
WHERE seq = (SELECT min(seq) FROM outbox WHERE destination = ?1 AND profile = ?2)
  AND NOT EXISTS (SELECT 1 FROM outbox WHERE destination = ?1 AND profile = ?2 AND head = 1)
  AND NOT EXISTS (SELECT 1 FROM outbox_parted AS p CROSS JOIN outbox AS o ON o.seq = p.seq
                  WHERE p.profile = ?2 AND o.destination = ?1 AND p.seq < outbox.seq);

-- name: rescue
UPDATE outbox SET state = CASE WHEN attempts > earlier + 1 THEN 'retrying' ELSE 'waiting' END, worker = '', lease_until = 0
WHERE state = 'leased' AND lease_until <= ? RETURNING destination, profile;

-- name: destinations_of
SELECT destination FROM outbox WHERE account = ?1 AND profile = ?2
UNION
SELECT o.destination FROM outbox_parted AS p CROSS JOIN outbox AS o ON o.seq = p.seq WHERE p.profile = ?2;

-- name: rekey
UPDATE outbox SET profile = ? WHERE account = ? AND profile = ?;

-- name: rekey_parted
UPDATE OR REPLACE outbox_parted SET profile = ? WHERE profile = ?;

-- name: share
INSERT OR IGNORE INTO outbox_parted
SELECT ?3, seq FROM outbox WHERE account = ?1 AND profile = ?2
UNION
SELECT ?3, seq FROM outbox_parted WHERE profile = ?2;

-- name: shared
SELECT seq, id, account, job, destination, profile, audience, crossing, at, transition, snapshot, hops, state, due,
       attempts, first_attempt, body, created, earlier
FROM outbox WHERE account = ?1 AND seq IN (SELECT seq FROM outbox_parted WHERE profile = ?2);

-- name: retell
UPDATE outbox SET snapshot = ?, body = NULL WHERE seq = ?;

-- name: hold_too
INSERT INTO outbox_parted VALUES (?, ?);

-- name: keys_of_job
SELECT destination, profile FROM outbox
WHERE account = ?1 AND job = ?2 AND destination != ?3 AND state != 'leased'
UNION
SELECT o.destination, p.profile FROM outbox AS o JOIN outbox_parted AS p ON p.seq = o.seq
WHERE o.account = ?1 AND o.job = ?2 AND o.destination != ?3 AND o.state != 'leased';

-- name: redirect
UPDATE outbox SET destination = ?1, body = NULL
WHERE account = ?2 AND job = ?3 AND destination != ?1 AND state != 'leased';

-- name: demote
UPDATE outbox SET head = 0 WHERE destination = ? AND profile = ? AND state != 'leased';

-- name: is_out_of_order
SELECT count(*) > 1 OR min(seq) > (SELECT min(seq) FROM outbox WHERE destination = ?1 AND profile = ?2)
    OR EXISTS (SELECT 1 FROM outbox_parted AS p CROSS JOIN outbox AS o ON o.seq = p.seq
               WHERE p.profile = ?2 AND o.destination = ?1)
FROM outbox WHERE destination = ?1 AND profile = ?2 AND head = 1;

-- name: destinations
SELECT DISTINCT destination FROM outbox;

-- name: wakeup
SELECT min(due) FROM outbox WHERE destination = ? AND head = 1 AND state IN ('waiting', 'retrying');

-- name: park_job
UPDATE outbox SET state = 'parked' WHERE account = ? AND job = ? AND state IN ('waiting', 'retrying');

-- name: free_job
UPDATE outbox SET state = CASE attempts WHEN earlier THEN 'waiting' ELSE 'retrying' END, due = 0
WHERE account = ? AND job = ? AND state = 'parked';

-- name: park_destination
UPDATE outbox SET state = 'parked' WHERE account = ? AND destination = ? AND state IN ('waiting', 'retrying');

-- name: free_destination
UPDATE outbox SET state = CASE attempts WHEN earlier THEN 'waiting' ELSE 'retrying' END, due = 0
WHERE account = ? AND destination = ? AND state = 'parked';

-- name: unfinished_of_job
SELECT seq, id, account, job, destination, profile, audience, crossing, at, transition, snapshot, hops, state, due,
       attempts, first_attempt, body, created, earlier
FROM outbox WHERE account = ? AND job = ? AND state != 'leased' LIMIT 5000;

-- name: tally
INSERT INTO delivery_counts VALUES (?, ?, ?, ?)
ON CONFLICT (account, job, state) DO UPDATE SET amount = amount + excluded.amount;

-- name: finished_counts
SELECT state, sum(amount) FROM delivery_counts WHERE account = ?1 AND (?2 = '' OR job = ?2) GROUP BY state;

-- name: unfinished_counts
SELECT state, count(*) FROM outbox WHERE account = ?1 AND (?2 = '' OR job = ?2) GROUP BY state;

-- name: list_unfinished
SELECT seq, id, account, job, destination, profile, audience, crossing, at, transition, snapshot, hops, state, due,
       attempts, first_attempt, body, created, earlier, '', 0
FROM outbox
WHERE account = ?1 AND (?2 = '' OR job = ?2) AND (?3 = '' OR state = ?3) AND (?4 = 0 OR profile = ?4) AND seq < ?5
ORDER BY seq DESC LIMIT ?6;

-- name: unfinished_by_prefix
SELECT seq, id, account, job, destination, profile, audience, crossing, at, transition, snapshot, hops, state, due,
       attempts, first_attempt, body, created, earlier, '', 0
FROM outbox WHERE id >= ?1 AND id < ?2 AND account = ?3 ORDER BY id LIMIT ?4;

-- name: days
SELECT name FROM days WHERE kind = ? ORDER BY day DESC;

-- name: old_days
SELECT name FROM days WHERE day < ?;

-- name: remove_day
DELETE FROM days WHERE name = ?;

-- name: add_day
INSERT INTO days VALUES (?, ?, ?) ON CONFLICT DO NOTHING;
