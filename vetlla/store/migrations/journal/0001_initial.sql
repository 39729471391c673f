-- The journal: what was received, what became of it, and the proof that nothing of it was changed.
-- Instants are microseconds UTC since 1970 (_us) or of the machine's monotonic clock (_mono_us, valid within one boot).

CREATE TABLE boots (
    id         INTEGER PRIMARY KEY,
    boot       TEXT    NOT NULL UNIQUE, -- the kernel's boot id: monotonic stamps compare only within one
    first_us   INTEGER NOT NULL,
    alive_us   INTEGER                  -- last pulse of a receiver within this boot
);

-- One row for each durable transaction of the intake. The last three stamps exist only after the commit that they
-- time, so they are written with the next one.
CREATE TABLE commits (
    id            INTEGER PRIMARY KEY,
    boot          INTEGER NOT NULL REFERENCES boots (id),
    began_us      INTEGER NOT NULL,
    durable_us    INTEGER,
    ready_us      INTEGER,
    ready_mono_us INTEGER
);

CREATE TABLE signals (
    id               INTEGER PRIMARY KEY,
    commit_id        INTEGER NOT NULL,
    listener         TEXT    NOT NULL,
    transport        TEXT    NOT NULL,
    peer             TEXT    NOT NULL,
    protocol         TEXT    NOT NULL,
    receiver         TEXT    NOT NULL,
    line             TEXT    NOT NULL,
    account          TEXT    NOT NULL COLLATE NOCASE, -- as received; panels send hex digits in both cases
    sequence         TEXT    NOT NULL,
    home             TEXT    NOT NULL,
    kind             TEXT    NOT NULL,
    phase            TEXT    NOT NULL,
    code             TEXT    NOT NULL,
    system           TEXT    NOT NULL,
    priority         INTEGER NOT NULL,
    device           TEXT    NOT NULL,
    area             TEXT    NOT NULL,
    text             TEXT    NOT NULL,
    occurred_us      INTEGER,
    sent_us          INTEGER,
    more             TEXT,             -- JSON of position, measurements and details; NULL where there is none
    raw              BLOB    NOT NULL,
    identity         BLOB    NOT NULL, -- what makes a retry recognisable; empty: never a duplicate
    part             INTEGER NOT NULL,
    parts            INTEGER NOT NULL,
    sealed_with      TEXT    NOT NULL,
    flags            INTEGER NOT NULL, -- vetlla.store.rows.Flag
    alarm_id         INTEGER,
    established_us   INTEGER NOT NULL,
    setup_us         INTEGER NOT NULL, -- established to received, monotonic
    received_us      INTEGER NOT NULL,
    received_mono_us INTEGER NOT NULL
);
CREATE INDEX signals_by_account ON signals (account, id);
-- An alarm's growth is counted here instead of in its own row, which then need not be written for each repeated alarm.
CREATE INDEX signals_by_alarm ON signals (alarm_id) WHERE alarm_id IS NOT NULL;

CREATE TABLE duplicates (
    signal_id INTEGER PRIMARY KEY REFERENCES signals (id),
    count     INTEGER NOT NULL,
    last_us   INTEGER NOT NULL,
    transport TEXT    NOT NULL,
    peer      TEXT    NOT NULL
);

CREATE TABLE rejects (
    id        INTEGER PRIMARY KEY,
    at_us     INTEGER NOT NULL,
    listener  TEXT    NOT NULL,
    transport TEXT    NOT NULL,
    peer      TEXT    NOT NULL,
    protocol  TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    receiver  TEXT    NOT NULL,
    line      TEXT    NOT NULL,
    account   TEXT    NOT NULL COLLATE NOCASE,
    text      TEXT    NOT NULL,
    raw       BLOB    NOT NULL
);

CREATE TABLE heartbeats (
    protocol TEXT    NOT NULL,
    receiver TEXT    NOT NULL,
    line     TEXT    NOT NULL,
    account  TEXT    NOT NULL,
    first_us INTEGER NOT NULL,
    last_us  INTEGER NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (account, receiver, line, protocol)
) WITHOUT ROWID;

CREATE TABLE alarms (
    id              INTEGER PRIMARY KEY,
    home            TEXT    NOT NULL,
    account         TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    priority        INTEGER NOT NULL,
    why             TEXT    NOT NULL,
    first_signal    INTEGER NOT NULL,
    established_us  INTEGER NOT NULL,
    opened_us       INTEGER NOT NULL,
    ready_us        INTEGER,
    ready_mono_us   INTEGER,
    boot            INTEGER NOT NULL,
    t2_us           INTEGER,
    chained_to      INTEGER,
    unknown_account INTEGER NOT NULL,
    on_test         INTEGER NOT NULL,
    runaway         INTEGER NOT NULL,
    escalated       INTEGER NOT NULL,
    state           TEXT    NOT NULL,
    operator        TEXT    NOT NULL,
    lease_mono_us   INTEGER,
    claimed_us      INTEGER,
    answered_us     INTEGER,
    t3_us           INTEGER,
    closed_us       INTEGER,
    outcome         TEXT
);
CREATE INDEX alarms_open ON alarms (state) WHERE state <> 'closed';

CREATE TABLE notes (
    id       INTEGER PRIMARY KEY,
    alarm_id INTEGER NOT NULL REFERENCES alarms (id),
    at_us    INTEGER NOT NULL,
    operator TEXT    NOT NULL,
    text     TEXT    NOT NULL
);
CREATE INDEX notes_by_alarm ON notes (alarm_id);

CREATE TABLE on_test (
    account  TEXT    PRIMARY KEY,
    since_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    operator TEXT    NOT NULL,
    reason   TEXT    NOT NULL
) WITHOUT ROWID;

-- Append-only. hash = SHA-256 over the record and the hash of the one before; AUTOINCREMENT remembers the highest id, so
-- that a cut tail shows.
CREATE TABLE audit (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us    INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    detail   TEXT    NOT NULL, -- JSON
    hash     BLOB    NOT NULL
);
-- What people and policy did, without one record for every commit of signals.
CREATE INDEX audit_deeds ON audit (id) WHERE action <> 'commit';
CREATE TRIGGER audit_is_append_only_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_is_append_only_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER signals_stay_update BEFORE UPDATE ON signals BEGIN SELECT RAISE(ABORT, 'signals are never changed'); END;
