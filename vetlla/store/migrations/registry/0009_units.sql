-- Emergency units: who was added, went on duty and off duty. Only these events are kept, and none is ever changed; where
-- a unit is follows from them and from the events of its emergencies (vetlla.service.dispatch). Times: microseconds UTC.

CREATE TABLE unit_events (
    id INTEGER PRIMARY KEY,
    unit TEXT NOT NULL,
    event TEXT NOT NULL CHECK (event IN ('added', 'on', 'off')),
    base TEXT NOT NULL, -- of 'added' and 'on'; empty: as before
    vehicle TEXT NOT NULL, -- code of its vehicle; empty: none, or as before
    at_us INTEGER NOT NULL,
    "by" TEXT NOT NULL,
    note TEXT NOT NULL,
    source TEXT NOT NULL,
    recorded_us INTEGER NOT NULL
);

CREATE INDEX unit_events_unit ON unit_events (unit, at_us);

CREATE TRIGGER unit_events_stay BEFORE UPDATE ON unit_events BEGIN
    SELECT RAISE(ABORT, 'an event of a unit is never rewritten');
END;
CREATE TRIGGER unit_events_are_kept BEFORE DELETE ON unit_events BEGIN
    SELECT RAISE(ABORT, 'an event of a unit is never deleted');
END;
