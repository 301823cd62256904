-- The rows of `store::rows`. Instants are Unix milliseconds, digests 32 octets, "sealed" columns boxes of the vault.
-- Small columns come first: a list that sorts by them then never walks the overflow pages of the sealed ones.

CREATE TABLE events (
    account             TEXT NOT NULL,
    uid                 TEXT NOT NULL,
    due_at              INTEGER,
    first_start         INTEGER,
    last_end            INTEGER,
    updated_at          INTEGER NOT NULL,
    state               TEXT NOT NULL,
    parked              TEXT,
    generation          INTEGER NOT NULL,
    mirrored_generation INTEGER NOT NULL,
    desired             TEXT NOT NULL,
    mirror              INTEGER NOT NULL,
    meeting             INTEGER NOT NULL,
    record_meeting      INTEGER NOT NULL,
    unconfirmed         INTEGER NOT NULL,
    attempts            INTEGER NOT NULL,
    stored_from         INTEGER,
    gone_at             INTEGER,
    history             TEXT NOT NULL,
    mailbox             TEXT,
    made_for            TEXT,
    reason              TEXT,
    message             TEXT,
    objects             TEXT NOT NULL,
    text_sha            BLOB,
    stored_sha          BLOB,
    record_sha          BLOB,
    record              BLOB,
    view                BLOB,
    text                BLOB,
    stored_link         BLOB,
    record_asked        INTEGER NOT NULL,
    PRIMARY KEY (account, uid)
) STRICT;

-- Both cover what the search for due rows reads, so that it never touches the table.
CREATE INDEX events_due ON events (due_at, account, first_start, uid) WHERE due_at IS NOT NULL;
CREATE INDEX events_due_of_account ON events (account, due_at, first_start, uid) WHERE due_at IS NOT NULL;
CREATE INDEX events_parked ON events (parked, account) WHERE parked IS NOT NULL;
CREATE INDEX events_state ON events (state, updated_at);

CREATE TABLE proposals (
    change       TEXT NOT NULL PRIMARY KEY,
    account      TEXT NOT NULL,
    uid          TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    object       TEXT,
    mirror       INTEGER NOT NULL,
    meeting      INTEGER NOT NULL,
    link_needed  INTEGER NOT NULL,
    has_guests   INTEGER NOT NULL,
    import       INTEGER NOT NULL,
    draft        INTEGER NOT NULL,
    draft_of     TEXT,
    reason       TEXT,
    rejected     TEXT,
    first_start  INTEGER,
    last_end     INTEGER,
    text_sha     BLOB NOT NULL,
    original_sha BLOB NOT NULL,
    answered_sha BLOB NOT NULL,
    text         BLOB NOT NULL,
    answered_link BLOB,
    original_link BLOB
) STRICT;

CREATE INDEX proposals_of_event ON proposals (account, uid, created_at);

-- What became of changes, for a day: a repeated report is answered like the first.
CREATE TABLE closed (
    change    TEXT NOT NULL PRIMARY KEY,
    account   TEXT NOT NULL,
    uid       TEXT NOT NULL,
    result    TEXT NOT NULL,
    closed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX closed_at ON closed (closed_at);

-- AUTOINCREMENT: a number is never given twice, not even after its offer is gone. A reader's cursor relies on it.
CREATE TABLE offers (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    account    TEXT NOT NULL,
    uid        TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    base_sha   BLOB NOT NULL,
    text       BLOB NOT NULL,
    UNIQUE (account, uid)
) STRICT;

CREATE TABLE accounts (
    address           TEXT NOT NULL PRIMARY KEY,
    further_addresses TEXT NOT NULL,
    display_name      TEXT,
    time_zone         TEXT,
    language          TEXT,
    class             TEXT,
    turned_on         INTEGER NOT NULL,
    created_at        INTEGER NOT NULL
) STRICT;

CREATE TABLE connections (
    account        TEXT NOT NULL PRIMARY KEY,
    connector      TEXT NOT NULL,
    tenant         TEXT NOT NULL,
    object         TEXT NOT NULL,
    remote_address TEXT NOT NULL,
    version        INTEGER NOT NULL,
    dead           TEXT,
    dead_message   TEXT,
    since          INTEGER NOT NULL,
    facts_code     TEXT,
    facts_message  TEXT,
    facts_at       INTEGER,
    facts_until    INTEGER,
    facts          BLOB,
    tokens         BLOB NOT NULL,
    facts_events   INTEGER,
    facts_meetings INTEGER
) STRICT;

CREATE INDEX connections_of_mailbox ON connections (tenant, object);

CREATE TABLE connectors (
    id            TEXT NOT NULL PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    enabled       INTEGER NOT NULL,
    authorize_url TEXT NOT NULL,
    token_url     TEXT NOT NULL,
    services      TEXT NOT NULL,
    redirect_url  TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    client_id     TEXT,
    secret        BLOB,
    proxy         TEXT,
    ca_file       TEXT,
    dead          TEXT,
    dead_message  TEXT
) STRICT;

-- A scope is a level (`server`, `domain`, `account`) and a name, which is empty for `server`.
CREATE TABLE policy (
    level TEXT NOT NULL,
    scope TEXT NOT NULL,
    allow INTEGER NOT NULL,
    PRIMARY KEY (level, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    level TEXT NOT NULL,
    scope TEXT NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (level, scope, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE hook_secrets (
    name       TEXT NOT NULL PRIMARY KEY,
    digest     BLOB NOT NULL,
    domains    TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE once (
    kind       TEXT NOT NULL,
    key        BLOB NOT NULL,
    account    TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    value      BLOB NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX once_expiry ON once (expires_at);
CREATE INDEX once_of_account ON once (account);

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
