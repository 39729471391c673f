-- What is too old is removed in small steps, and what a person who left said is erased. The audit says what was removed
-- and what the rows that remain are; these tables only tell where to go on and where to look.

-- Ranges of signals that are no longer as their commits left them, and the audit record that holds their digest now. A
-- range whose rows are all gone is not among them.
CREATE TABLE removals (
    first  INTEGER PRIMARY KEY,
    last   INTEGER NOT NULL,
    record INTEGER NOT NULL REFERENCES audit (id)
);

-- Up to which signal each kind of removal has come; 'clock': the instant that the last round went by.
CREATE TABLE retention (
    name  TEXT    PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

-- Signals that were old enough while their alarm was open, or its emergency was not over: the next rounds look again.
CREATE TABLE held_back (
    what   TEXT    NOT NULL, -- vetlla.store.retention.What
    signal INTEGER NOT NULL,
    PRIMARY KEY (what, signal)
) WITHOUT ROWID;

-- A signal is never changed, but what it says can be removed: each of these columns is as it was, or empty.
DROP TRIGGER signals_stay_update;
CREATE TRIGGER signals_stay_update BEFORE UPDATE ON signals WHEN NOT (
    NEW.id = OLD.id AND NEW.commit_id = OLD.commit_id AND NEW.listener = OLD.listener
    AND NEW.transport = OLD.transport AND NEW.protocol = OLD.protocol AND NEW.kind = OLD.kind
    AND NEW.phase = OLD.phase AND NEW.system = OLD.system AND NEW.priority = OLD.priority
    AND NEW.part = OLD.part AND NEW.parts = OLD.parts AND NEW.flags = OLD.flags AND NEW.alarm_id IS OLD.alarm_id
    AND NEW.established_us = OLD.established_us AND NEW.setup_us = OLD.setup_us
    AND NEW.received_us = OLD.received_us AND NEW.received_mono_us = OLD.received_mono_us
    AND NEW.peer IN (OLD.peer, '') AND NEW.receiver IN (OLD.receiver, '') AND NEW.line IN (OLD.line, '')
    AND NEW.account COLLATE BINARY IN (OLD.account, '') AND NEW.sequence IN (OLD.sequence, '') AND NEW.home IN (OLD.home, '')
    AND NEW.code IN (OLD.code, '') AND NEW.device IN (OLD.device, '') AND NEW.area IN (OLD.area, '')
    AND NEW.text IN (OLD.text, '') AND NEW.sealed_with IN (OLD.sealed_with, '')
    AND (NEW.occurred_us IS OLD.occurred_us OR NEW.occurred_us IS NULL)
    AND (NEW.sent_us IS OLD.sent_us OR NEW.sent_us IS NULL)
    AND (NEW.more IS OLD.more OR NEW.more IS NULL OR length(NEW.more) < length(OLD.more))
    AND NEW.raw IN (OLD.raw, x'') AND NEW.identity IN (OLD.identity, x'')
) BEGIN
    SELECT RAISE(ABORT, 'signals are never changed');
END;
