-- In which of the server's calendars the event was last stored, or is about to be.
ALTER TABLE events ADD COLUMN calendar TEXT;
ALTER TABLE proposals ADD COLUMN calendar TEXT;
CREATE INDEX events_calendar ON events (account, calendar) WHERE calendar IS NOT NULL;

-- What users call their calendars.
CREATE TABLE calendars (
    account TEXT NOT NULL,
    path    TEXT NOT NULL,
    name    TEXT,
    PRIMARY KEY (account, path)
) STRICT, WITHOUT ROWID;
