-- The calls of the service. What files say of a call is append-only: its newest record of each kind of file holds. A year
-- has two million calls, so names that repeat are numbers here, and a call is found by two indexes only.

CREATE TABLE call_sources (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE -- the PBX; '': the only one
);

CREATE TABLE call_imports (
    id INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    by TEXT NOT NULL, -- Unix user
    origin TEXT NOT NULL, -- vetlla.domain.calls.Origin
    file TEXT NOT NULL -- its name, without its folder
);

CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES call_sources (id),
    external TEXT NOT NULL, -- the PBX's own id
    UNIQUE (external, source)
);

CREATE TABLE call_records (
    id INTEGER PRIMARY KEY,
    call INTEGER NOT NULL REFERENCES calls (id),
    import INTEGER NOT NULL REFERENCES call_imports (id), -- its origin is that of the record
    direction TEXT,
    started_us INTEGER,
    ready_us INTEGER,
    answered_us INTEGER,
    ended_us INTEGER,
    agent TEXT NOT NULL,
    caller TEXT NOT NULL,
    called TEXT NOT NULL,
    queue TEXT NOT NULL,
    outcome TEXT,
    recording TEXT NOT NULL,
    digest BLOB NOT NULL, -- SHA-256; empty: unknown
    party TEXT,
    home TEXT NOT NULL,
    alarm INTEGER
);

CREATE INDEX call_records_call ON call_records (call, id);
CREATE INDEX call_records_at ON call_records (coalesce(started_us, ready_us, answered_us, ended_us), call);

-- To which home and alarm a call belongs. The newest row of a call holds.
CREATE TABLE call_ties (
    id INTEGER PRIMARY KEY,
    call INTEGER NOT NULL REFERENCES calls (id),
    at_us INTEGER NOT NULL,
    by TEXT NOT NULL, -- '': the rules tied it in an import
    method TEXT NOT NULL, -- vetlla.domain.calls.TieMethod
    home TEXT NOT NULL,
    homes TEXT NOT NULL, -- JSON list of the homes to choose from; '': none
    alarm_method TEXT NOT NULL, -- vetlla.domain.calls.AlarmMethod
    alarm INTEGER,
    alarms TEXT NOT NULL, -- likewise
    reason TEXT NOT NULL
);

CREATE INDEX call_ties_call ON call_ties (call, id);
CREATE INDEX call_ties_home ON call_ties (home) WHERE home != '';

CREATE TRIGGER calls_stay BEFORE UPDATE ON calls BEGIN
    SELECT RAISE(ABORT, 'a call is never rewritten');
END;
CREATE TRIGGER calls_are_kept BEFORE DELETE ON calls BEGIN
    SELECT RAISE(ABORT, 'a call is never removed');
END;
CREATE TRIGGER call_imports_stay BEFORE UPDATE ON call_imports BEGIN
    SELECT RAISE(ABORT, 'an import of calls is never rewritten');
END;
CREATE TRIGGER call_imports_are_kept BEFORE DELETE ON call_imports BEGIN
    SELECT RAISE(ABORT, 'an import of calls is never removed');
END;
CREATE TRIGGER call_records_stay BEFORE UPDATE ON call_records BEGIN
    SELECT RAISE(ABORT, 'what was said of a call is never rewritten');
END;
CREATE TRIGGER call_records_are_kept BEFORE DELETE ON call_records BEGIN
    SELECT RAISE(ABORT, 'what was said of a call is never removed');
END;
CREATE TRIGGER call_ties_stay BEFORE UPDATE ON call_ties BEGIN
    SELECT RAISE(ABORT, 'the tie of a call is never rewritten');
END;
CREATE TRIGGER call_ties_are_kept BEFORE DELETE ON call_ties BEGIN
    SELECT RAISE(ABORT, 'the tie of a call is never removed');
END;
