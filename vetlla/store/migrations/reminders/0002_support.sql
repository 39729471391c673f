-- Tickets of the support desk. Each act is a row that stays; state and clocks are computed from the acts.
-- Texts have no personal data. If one has all the same, it can be emptied and not rewritten.

CREATE TABLE support_tickets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    way TEXT NOT NULL CHECK (way IN ('phone', 'email')),
    reference TEXT NOT NULL DEFAULT '' -- the city's own number
);

CREATE TABLE support_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket INTEGER NOT NULL REFERENCES support_tickets,
    act TEXT NOT NULL CHECK (act IN ('opened', 'answered', 'paused', 'resumed', 'solved', 'reopened', 'severity',
        'note')),
    at_us INTEGER NOT NULL,
    recorded_us INTEGER NOT NULL, -- when it was written down
    by TEXT NOT NULL,
    severity TEXT NOT NULL DEFAULT '', -- the severity from now on, if the act sets it
    text TEXT NOT NULL DEFAULT '',
    CHECK (recorded_us >= at_us),
    CHECK ((act IN ('opened', 'severity')) = (severity <> ''))
);
CREATE INDEX support_events_ticket ON support_events (ticket, id);
CREATE UNIQUE INDEX support_events_opened ON support_events (ticket) WHERE act = 'opened';
CREATE INDEX support_events_opened_at ON support_events (at_us) WHERE act = 'opened';

CREATE TRIGGER support_tickets_stay BEFORE UPDATE ON support_tickets BEGIN
    SELECT RAISE(ABORT, 'a ticket is never rewritten');
END;
CREATE TRIGGER support_tickets_are_kept BEFORE DELETE ON support_tickets BEGIN
    SELECT RAISE(ABORT, 'a ticket is never removed: it counts in a report');
END;
CREATE TRIGGER support_events_stay BEFORE UPDATE ON support_events
WHEN NEW.text <> '' OR NEW.id <> OLD.id OR NEW.ticket <> OLD.ticket OR NEW.act <> OLD.act OR NEW.at_us <> OLD.at_us
    OR NEW.recorded_us <> OLD.recorded_us OR NEW.by <> OLD.by OR NEW.severity <> OLD.severity
BEGIN
    SELECT RAISE(ABORT, 'an act on a ticket is never rewritten; its text can be emptied');
END;
CREATE TRIGGER support_events_are_kept BEFORE DELETE ON support_events BEGIN
    SELECT RAISE(ABORT, 'an act on a ticket is never removed');
END;
-- A ticket's acts are in the order of their times.
CREATE TRIGGER support_events_in_order BEFORE INSERT ON support_events
WHEN NEW.at_us < (SELECT max(at_us) FROM support_events WHERE ticket = NEW.ticket)
BEGIN
    SELECT RAISE(ABORT, 'a ticket has a later act');
END;
