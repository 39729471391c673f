-- Closed months: what was known at a time, what it came to, and the documents that were handed over. Nothing of a closed
-- month is ever changed; closing it again adds another version. Times are microseconds UTC.

CREATE TABLE closed_months (
    id INTEGER PRIMARY KEY,
    month TEXT NOT NULL, -- 2026-10
    version INTEGER NOT NULL CHECK (version >= 1), -- 1: the month was closed; 2 and more: restatements
    known_us INTEGER NOT NULL, -- what was recorded later is not in it
    "by" TEXT NOT NULL, -- Unix user
    reason TEXT NOT NULL, -- why it was closed again; empty: the first version
    note TEXT NOT NULL,
    program TEXT NOT NULL, -- version of Vetlla
    seal TEXT NOT NULL, -- SHA-256 over all of it and the seal before (vetlla.service.months.sealing)
    UNIQUE (month, version)
);

-- A digest of each part of the record that the results are made of.
CREATE TABLE closed_inputs (
    closing INTEGER NOT NULL REFERENCES closed_months (id),
    name TEXT NOT NULL,
    rows INTEGER NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (closing, name)
) WITHOUT ROWID;

CREATE TABLE closed_files (
    id INTEGER PRIMARY KEY,
    closing INTEGER NOT NULL REFERENCES closed_months (id),
    role TEXT NOT NULL CHECK (role IN ('rules', 'result', 'document')),
    name TEXT NOT NULL,
    media TEXT NOT NULL,
    size INTEGER NOT NULL, -- bytes, not compressed
    digest TEXT NOT NULL, -- SHA-256 of these bytes
    content BLOB NOT NULL, -- compressed (zlib)
    UNIQUE (closing, role, name)
);

-- The last time as of which a month was closed: the triggers below look for it at each row that is recorded.
CREATE INDEX closed_months_known ON closed_months (known_us);

CREATE TRIGGER closed_months_stay BEFORE UPDATE ON closed_months BEGIN
    SELECT RAISE(ABORT, 'a closed month is never rewritten');
END;
CREATE TRIGGER closed_months_are_kept BEFORE DELETE ON closed_months BEGIN
    SELECT RAISE(ABORT, 'a closed month is never removed');
END;
-- INSERT OR REPLACE would delete a row without asking the trigger above.
CREATE TRIGGER closed_months_follow BEFORE INSERT ON closed_months
WHEN NEW.id <= (SELECT max(id) FROM closed_months) AND NEW.id > 0 -- -1 stands for the next number
  OR NEW.version <> 1 + (SELECT count(*) FROM closed_months WHERE month = NEW.month) BEGIN
    SELECT RAISE(ABORT, 'a closed month follows those before it, and replaces none');
END;
CREATE TRIGGER closed_inputs_stay BEFORE UPDATE ON closed_inputs BEGIN
    SELECT RAISE(ABORT, 'a closed month is never rewritten');
END;
CREATE TRIGGER closed_inputs_are_kept BEFORE DELETE ON closed_inputs BEGIN
    SELECT RAISE(ABORT, 'a closed month is never removed');
END;
CREATE TRIGGER closed_inputs_follow BEFORE INSERT ON closed_inputs
WHEN NEW.closing <> (SELECT max(id) FROM closed_months)
  OR EXISTS (SELECT 1 FROM closed_inputs WHERE closing = NEW.closing AND name = NEW.name) BEGIN
    SELECT RAISE(ABORT, 'an input belongs to the month that is being closed, and replaces no other');
END;
CREATE TRIGGER closed_files_stay BEFORE UPDATE ON closed_files BEGIN
    SELECT RAISE(ABORT, 'a closed month is never rewritten');
END;
CREATE TRIGGER closed_files_are_kept BEFORE DELETE ON closed_files BEGIN
    SELECT RAISE(ABORT, 'a closed month is never removed');
END;
CREATE TRIGGER closed_files_follow BEFORE INSERT ON closed_files
WHEN NEW.closing <> (SELECT max(id) FROM closed_months)
  OR EXISTS (SELECT 1 FROM closed_files WHERE closing = NEW.closing AND role = NEW.role AND name = NEW.name)
  OR NEW.id <= (SELECT max(id) FROM closed_files) AND NEW.id > 0 BEGIN
    SELECT RAISE(ABORT, 'a file belongs to the month that is being closed, and replaces no other');
END;

-- A fact that claims to have been recorded before a month was closed would change what was known then. The tables of
-- facts refuse it: the clock was set back, or the command began before the month was closed.
CREATE TRIGGER recordings_after_close BEFORE INSERT ON recordings
WHEN NEW.recorded_us <= (SELECT max(known_us) FROM closed_months) BEGIN
    SELECT RAISE(ABORT, 'a month was closed meanwhile: record it again');
END;
CREATE TRIGGER duty_events_after_close BEFORE INSERT ON duty_events
WHEN NEW.recorded_us <= (SELECT max(known_us) FROM closed_months) BEGIN
    SELECT RAISE(ABORT, 'a month was closed meanwhile: record it again');
END;
CREATE TRIGGER unit_events_after_close BEFORE INSERT ON unit_events
WHEN NEW.recorded_us <= (SELECT max(known_us) FROM closed_months) BEGIN
    SELECT RAISE(ABORT, 'a month was closed meanwhile: record it again');
END;
CREATE TRIGGER movements_after_close BEFORE INSERT ON movements
WHEN NEW.recorded_us <= (SELECT max(known_us) FROM closed_months) BEGIN
    SELECT RAISE(ABORT, 'a month was closed meanwhile: record it again');
END;
CREATE TRIGGER upkeep_after_close BEFORE INSERT ON upkeep
WHEN NEW.recorded_us <= (SELECT max(known_us) FROM closed_months) BEGIN
    SELECT RAISE(ABORT, 'a month was closed meanwhile: record it again');
END;
CREATE TRIGGER call_imports_after_close BEFORE INSERT ON call_imports
WHEN NEW.at_us <= (SELECT max(known_us) FROM closed_months) BEGIN
    SELECT RAISE(ABORT, 'a month was closed meanwhile: record it again');
END;
CREATE TRIGGER call_ties_after_close BEFORE INSERT ON call_ties
WHEN NEW.at_us <= (SELECT max(known_us) FROM closed_months) BEGIN
    SELECT RAISE(ABORT, 'a month was closed meanwhile: record it again');
END;
-- Also the records of an earlier import of calls: they have its time.
CREATE TRIGGER call_records_after_close BEFORE INSERT ON call_records
WHEN (SELECT at_us FROM call_imports WHERE id = NEW.import) <= (SELECT max(known_us) FROM closed_months) BEGIN
    SELECT RAISE(ABORT, 'a month was closed meanwhile: record it again');
END;
