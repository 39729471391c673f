-- Faults of the contract that people record, because nothing computes them, and the corrective actions against faults
-- and service levels. Only events are kept, and none is ever changed: a wrong one is taken back by another one
-- (vetlla.service.sanctions). Times: microseconds UTC.

CREATE TABLE recorded_faults (
    id INTEGER PRIMARY KEY,
    fault TEXT NOT NULL, -- its number in section 17 of the tender, such as S07
    at_us INTEGER NOT NULL,
    subject TEXT NOT NULL, -- code of what it is about; empty: the service
    reason TEXT NOT NULL,
    ref TEXT NOT NULL, -- where the evidence is
    cents INTEGER, -- of a deduction (20.2.d), if the amount is known
    "by" TEXT NOT NULL,
    withdraws INTEGER NOT NULL, -- number of the record that this one takes back; 0: none
    source TEXT NOT NULL,
    recorded_us INTEGER NOT NULL
);

CREATE TABLE action_events (
    id INTEGER PRIMARY KEY,
    action INTEGER NOT NULL, -- id of the event that planned it; 0: this one does
    event TEXT NOT NULL CHECK (event IN ('planned', 'done', 'withdrawn')),
    about TEXT NOT NULL, -- the fault or the level that it corrects, such as S29 or ANS 5
    what TEXT NOT NULL,
    who TEXT NOT NULL,
    due TEXT, -- a day
    at_us INTEGER NOT NULL,
    ref TEXT NOT NULL,
    "by" TEXT NOT NULL,
    source TEXT NOT NULL,
    recorded_us INTEGER NOT NULL
);

CREATE TRIGGER recorded_faults_stay BEFORE UPDATE ON recorded_faults BEGIN
    SELECT RAISE(ABORT, 'a recorded fault is never rewritten');
END;
CREATE TRIGGER recorded_faults_are_kept BEFORE DELETE ON recorded_faults BEGIN
    SELECT RAISE(ABORT, 'a recorded fault is never deleted');
END;
CREATE TRIGGER action_events_stay BEFORE UPDATE ON action_events BEGIN
    SELECT RAISE(ABORT, 'an event of a corrective action is never rewritten');
END;
CREATE TRIGGER action_events_are_kept BEFORE DELETE ON action_events BEGIN
    SELECT RAISE(ABORT, 'an event of a corrective action is never deleted');
END;
