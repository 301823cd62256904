-- Since when the user's own switch is on; what is in the calendar from before is left alone. When it was switched on earlier
-- than this is not known any more, so nothing from before the upgrade is touched.
ALTER TABLE accounts ADD COLUMN turned_on_at INTEGER;
UPDATE accounts SET turned_on_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000 WHERE turned_on;

-- How many coming events a watcher left out as older than that, and whether their user wants them in.
ALTER TABLE accounts ADD COLUMN older_events INTEGER;
ALTER TABLE accounts ADD COLUMN older_wanted INTEGER NOT NULL DEFAULT 0;

CREATE INDEX events_unconfirmed ON events (account, uid) WHERE unconfirmed;
