-- Sizes over time: what an audience's counts were at the end of each hour in which they changed.
CREATE TABLE audience_history (
  account INTEGER NOT NULL,
  audience INTEGER NOT NULL,
  hour INTEGER NOT NULL,            -- when it began, in audience time
  size INTEGER NOT NULL,
  entered INTEGER NOT NULL,
  departed INTEGER NOT NULL,
  PRIMARY KEY (account, audience, hour)
) WITHOUT ROWID;
CREATE INDEX audience_history_by_hour ON audience_history (hour);
