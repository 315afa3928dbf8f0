-- Unfinished deliveries of a profile that was parted: the other side's order waits for them too.
CREATE TABLE outbox_parted (
  profile INTEGER NOT NULL,         -- the other side
  seq INTEGER NOT NULL,             -- the delivery it waits for
  PRIMARY KEY (profile, seq)
) WITHOUT ROWID;
CREATE INDEX outbox_parted_by_delivery ON outbox_parted (seq);
