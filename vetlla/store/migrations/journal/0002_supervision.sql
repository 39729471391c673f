-- Supervision: which devices are expected to report, what became of it, and the proof for each day.

-- One row for each device that was ever expected; its number is its place in the ledger's columns and is never reused.
CREATE TABLE units (
    id             INTEGER PRIMARY KEY,
    account        TEXT    NOT NULL COLLATE NOCASE,
    receiver       TEXT    NOT NULL,
    line           TEXT    NOT NULL,
    device         TEXT    NOT NULL, -- empty: the terminal itself
    state          INTEGER NOT NULL, -- vetlla.service.supervision.Health
    since_us       INTEGER NOT NULL,
    heard_us       INTEGER NOT NULL, -- 0: never
    pause          INTEGER NOT NULL, -- vetlla.service.supervision.Pause
    interval_s     INTEGER NOT NULL,
    allowed_misses INTEGER NOT NULL,
    day            TEXT    NOT NULL, -- the day that the next columns are about, until the ledger has it
    received       INTEGER NOT NULL,
    longest_s      INTEGER NOT NULL,
    unsupervised_s INTEGER NOT NULL,
    reasons        INTEGER NOT NULL  -- every pause of that day
);
CREATE INDEX units_by_account ON units (account);

-- Every change of state that people may look up later. Devices that were lost together have the same incident.
CREATE TABLE verdicts (
    id       INTEGER PRIMARY KEY,
    at_us    INTEGER NOT NULL,
    unit     INTEGER NOT NULL REFERENCES units (id),
    before   INTEGER NOT NULL,
    state    INTEGER NOT NULL,
    pause    INTEGER NOT NULL,
    heard_us INTEGER NOT NULL,
    missed   INTEGER NOT NULL,
    incident INTEGER,
    alarm_id INTEGER
);
CREATE INDEX verdicts_by_unit ON verdicts (unit, id);
CREATE INDEX verdicts_by_incident ON verdicts (incident) WHERE incident IS NOT NULL;

CREATE TABLE incidents (
    id        INTEGER PRIMARY KEY,
    label     TEXT    NOT NULL,
    opened_us INTEGER NOT NULL,
    closed_us INTEGER,
    least     INTEGER NOT NULL, -- with fewer lost than this it is over
    members   INTEGER NOT NULL,
    alarm_id  INTEGER
);
CREATE INDEX incidents_open ON incidents (id) WHERE closed_us IS NULL;

-- Pauses that an engineer or a supervisor ordered.
CREATE TABLE pauses (
    unit     INTEGER PRIMARY KEY REFERENCES units (id),
    since_us INTEGER NOT NULL,
    until_us INTEGER,
    operator TEXT    NOT NULL,
    reason   TEXT    NOT NULL
);

-- One row for each day and block of devices: columns, compressed (vetlla.store.journal.ledger).
CREATE TABLE ledger (
    day     TEXT    NOT NULL,
    stretch INTEGER NOT NULL,
    columns BLOB    NOT NULL,
    PRIMARY KEY (day, stretch)
) WITHOUT ROWID;

-- How long on a day the receiver could take no reports: no device was supervised then.
CREATE TABLE ledger_days (
    day         TEXT    PRIMARY KEY,
    down_s      INTEGER NOT NULL,
    tolerance_s REAL    NOT NULL -- what a sign of life was given to arrive
) WITHOUT ROWID;

-- What was counted for each account only.
INSERT INTO units
SELECT row_number() OVER (ORDER BY account, receiver, line) - 1, account, receiver, line, '', 0, 0, max(last_us),
       0, 0, 1, '', 0, 0, 0, 0
FROM heartbeats GROUP BY account, receiver, line;
DROP TABLE heartbeats;
