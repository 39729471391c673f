-- Duties: what the service owes. Only events are kept, and none is ever changed; the duties, their clocks and verdicts
-- are computed from them (vetlla.service.duties). Times are microseconds UTC.

CREATE TABLE duty_events (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    event TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    ref TEXT NOT NULL, -- reference in the system that it comes from; empty: none
    "by" TEXT NOT NULL,
    note TEXT NOT NULL,
    begin_us INTEGER, -- the time that it promises
    end_us INTEGER,
    details TEXT NOT NULL, -- JSON object of texts; empty: none
    duty INTEGER NOT NULL, -- number of the opening of its duty, if the writer named it; 0: found by reference or time
    withdraws INTEGER NOT NULL, -- number of the event that it takes back; 0: none
    source TEXT NOT NULL,
    recorded_us INTEGER NOT NULL
);

-- It finds the events of a subject, and refuses the same event a second time.
CREATE UNIQUE INDEX duty_events_subject ON duty_events (kind, subject, at_us, event, ref);
CREATE INDEX duty_events_when ON duty_events (kind, at_us);
-- It finds what is promised for a day, such as its visits.
CREATE INDEX duty_events_promised ON duty_events (kind, end_us) WHERE end_us IS NOT NULL;

CREATE TRIGGER duty_events_stay BEFORE UPDATE ON duty_events BEGIN
    SELECT RAISE(ABORT, 'an event of a duty is never rewritten');
END;
CREATE TRIGGER duty_events_are_kept BEFORE DELETE ON duty_events BEGIN
    SELECT RAISE(ABORT, 'an event of a duty is never deleted');
END;

-- An index of the duties that no event has ended: which of them run out first. It holds no answer, because every answer
-- is computed from the events; it only says where to look. Writers keep it, and make it again for other rules.
CREATE TABLE open_duties (
    duty INTEGER PRIMARY KEY REFERENCES duty_events (id),
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    due_us INTEGER -- NULL: decided, without a clock, or the clock stands
);

CREATE INDEX open_duties_due ON open_duties (due_us) WHERE due_us IS NOT NULL;
CREATE INDEX open_duties_subject ON open_duties (kind, subject);

-- Likewise: events that belong to no duty, because none or several were open at their time.
CREATE TABLE loose_events (
    event INTEGER PRIMARY KEY REFERENCES duty_events (id),
    kind TEXT NOT NULL,
    subject TEXT NOT NULL
);

CREATE INDEX loose_events_subject ON loose_events (kind, subject);

CREATE TABLE duty_index (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    fingerprint TEXT NOT NULL -- of the kinds and parameters with which the index was made
);
