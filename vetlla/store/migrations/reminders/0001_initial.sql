-- Appointments, the messages about them, and what citizens replied. Times are microseconds UTC since 1970.
-- A telephone number stands in one table only, `citizens`. Other rows name the citizen until the retention time ends;
-- then they keep a pseudonym (a hash with the key of the year), or nothing if the person asked to be erased.

CREATE TABLE citizens (
    id INTEGER PRIMARY KEY,
    phone TEXT UNIQUE, -- E.164; NULL while only WhatsApp's id of the person is known
    person TEXT UNIQUE, -- WhatsApp's id of the person (BSUID)
    language TEXT NOT NULL DEFAULT '', -- the language that the citizen chose
    no_whatsapp_until_us INTEGER NOT NULL DEFAULT 0,
    is_dead INTEGER NOT NULL DEFAULT 0, -- a provider says that the number does not exist
    consent_us INTEGER,
    consent_where TEXT NOT NULL DEFAULT '',
    seen_us INTEGER NOT NULL,
    CHECK (phone IS NOT NULL OR person IS NOT NULL)
);

CREATE TABLE opt_outs (
    citizen INTEGER NOT NULL REFERENCES citizens,
    channel TEXT NOT NULL CHECK (channel IN ('whatsapp', 'sms')),
    at_us INTEGER NOT NULL,
    how TEXT NOT NULL, -- "reply", "operator", "import", "provider"
    PRIMARY KEY (citizen, channel)
) WITHOUT ROWID;

CREATE TABLE offices (
    source TEXT NOT NULL,
    office TEXT NOT NULL,
    first_poll_us INTEGER NOT NULL, -- appointments of this poll were booked at an unknown time
    polled_us INTEGER NOT NULL, -- the last poll that was applied
    doubted_us INTEGER, -- since when polls lose too many appointments to be believed; NULL if they do not
    fault TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (source, office)
) WITHOUT ROWID;

CREATE TABLE appointments (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    name TEXT NOT NULL, -- the source's own name
    office TEXT NOT NULL,
    start_us INTEGER NOT NULL,
    end_us INTEGER NOT NULL,
    zone TEXT NOT NULL,
    status TEXT NOT NULL,
    status_given TEXT NOT NULL,
    services TEXT NOT NULL, -- JSON: [[id, name, may_cancel], ...]
    citizen INTEGER REFERENCES citizens,
    pseudonym TEXT NOT NULL DEFAULT '',
    phone_given TEXT NOT NULL, -- only while it can be no telephone number: otherwise it is in `citizens`
    language TEXT NOT NULL,
    consent_us INTEGER,
    updated_us INTEGER,
    first_seen_us INTEGER NOT NULL,
    booked_us INTEGER, -- when this hour was booked, as far as polls saw it; NULL if before the first poll
    moves INTEGER NOT NULL DEFAULT 0,
    confirmed_start_us INTEGER, -- the hour that the citizen confirmed; after a move it is another than start_us
    confirmed_us INTEGER,
    cancelled_by TEXT NOT NULL DEFAULT '', -- "citizen", "office"
    cancelled_us INTEGER,
    retired INTEGER NOT NULL DEFAULT 0, -- 1 after the retention time
    UNIQUE (source, name)
);
CREATE INDEX appointments_start ON appointments (start_us);
CREATE INDEX appointments_office ON appointments (source, office, start_us);
CREATE INDEX appointments_citizen ON appointments (citizen) WHERE citizen IS NOT NULL;
CREATE INDEX appointments_to_retire ON appointments (end_us) WHERE retired = 0;

CREATE TABLE appointment_events (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    what TEXT NOT NULL, -- "created", "moved", "cancelled", "confirmed", "status"
    start_us INTEGER NOT NULL,
    detail TEXT NOT NULL DEFAULT ''
);
CREATE INDEX appointment_events_name ON appointment_events (source, name);
CREATE INDEX appointment_events_at ON appointment_events (at_us);

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE, -- random: a provider that returns it learns nothing
    source TEXT NOT NULL,
    appointment TEXT NOT NULL,
    start_us INTEGER NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('reminder', 'moved', 'cancelled', 'information', 'answer')),
    office TEXT NOT NULL,
    citizen INTEGER REFERENCES citizens,
    pseudonym TEXT NOT NULL DEFAULT '',
    planned_us INTEGER NOT NULL,
    due_us INTEGER NOT NULL,
    useful_until_us INTEGER NOT NULL,
    language TEXT NOT NULL DEFAULT '',
    only_channel TEXT NOT NULL DEFAULT '' CHECK (only_channel IN ('', 'whatsapp', 'sms')),
    as_template INTEGER NOT NULL DEFAULT 1,
    context TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN ('planned', 'claimed', 'sending', 'accepted', 'sent', 'delivered', 'read',
        'failed', 'unknown', 'expired', 'suppressed')),
    reason TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    tries INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0, -- counts the claims
    leased_until_us INTEGER,
    holder TEXT NOT NULL DEFAULT '', -- the dispatcher that has it, for people
    channel TEXT NOT NULL DEFAULT '', -- by which it was sent
    gateway TEXT NOT NULL DEFAULT '',
    provider_id TEXT,
    template TEXT NOT NULL DEFAULT '',
    text TEXT NOT NULL DEFAULT '',
    segments INTEGER NOT NULL DEFAULT 0,
    sending_us INTEGER, -- NULL proves that no provider was ever asked to send it
    fallback_us INTEGER,
    accepted_us INTEGER,
    sent_us INTEGER,
    delivered_us INTEGER,
    read_us INTEGER,
    failed_us INTEGER,
    opens INTEGER NOT NULL DEFAULT 0, -- 1: it opened a conversation started by the city
    category TEXT NOT NULL DEFAULT '',
    is_billable INTEGER,
    CHECK (state NOT IN ('sending', 'accepted', 'sent', 'delivered', 'read', 'unknown') OR sending_us IS NOT NULL),
    UNIQUE (source, appointment, start_us, step, attempt)
);
CREATE INDEX outbox_state ON outbox (state, start_us, due_us); -- the nearest appointments first
CREATE INDEX outbox_start ON outbox (start_us);
CREATE INDEX outbox_provider ON outbox (channel, provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX outbox_citizen ON outbox (citizen, sending_us) WHERE citizen IS NOT NULL;
CREATE INDEX outbox_opens ON outbox (sending_us) WHERE opens = 1;
CREATE INDEX outbox_planned ON outbox (planned_us);

-- A message goes back to "planned" only if it is certain that no provider has it.
CREATE TRIGGER outbox_is_sent_once BEFORE UPDATE OF state ON outbox
WHEN NEW.state IN ('planned', 'claimed', 'sending')
    AND (OLD.state IN ('accepted', 'sent', 'delivered', 'read', 'failed', 'unknown', 'expired')
        OR (OLD.state = 'sending' AND NOT (NEW.state = 'planned' AND NEW.tries = OLD.tries + 1)) -- a refusal
        OR (OLD.state = 'planned' AND NEW.state = 'sending')
        OR (OLD.state = 'suppressed' AND (NEW.state <> 'planned' OR OLD.sending_us IS NOT NULL)))
BEGIN
    SELECT RAISE(ABORT, 'a message that a provider may have is not sent again');
END;
CREATE TRIGGER outbox_is_kept BEFORE DELETE ON outbox BEGIN
    SELECT RAISE(ABORT, 'a message is never removed: it proves that it must not be sent again');
END;

CREATE TABLE delivery_reports (
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    delivery TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    received_us INTEGER NOT NULL,
    reference TEXT NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    category TEXT NOT NULL,
    is_billable INTEGER,
    message INTEGER REFERENCES outbox -- NULL until the answer to our call, which the report may overtake
);
CREATE UNIQUE INDEX delivery_reports_once ON delivery_reports (channel, provider_id, delivery, coalesce(message, 0));
CREATE INDEX delivery_reports_message ON delivery_reports (message) WHERE message IS NOT NULL;
CREATE INDEX delivery_reports_received ON delivery_reports (received_us);

CREATE TABLE replies (
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    received_us INTEGER NOT NULL,
    kind TEXT NOT NULL,
    citizen INTEGER REFERENCES citizens,
    pseudonym TEXT NOT NULL DEFAULT '',
    text TEXT NOT NULL,
    payload TEXT NOT NULL,
    context TEXT NOT NULL,
    handled_us INTEGER,
    outcome TEXT NOT NULL DEFAULT '', -- "confirmed", "cancelled", "asked", "inbox", "late", "unknown_sender", ...
    intent TEXT NOT NULL DEFAULT '',
    language TEXT NOT NULL DEFAULT '',
    message INTEGER REFERENCES outbox, -- the message that it answers
    retired INTEGER NOT NULL DEFAULT 0,
    UNIQUE (channel, provider_id)
);
CREATE INDEX replies_open ON replies (id) WHERE handled_us IS NULL;
CREATE INDEX replies_citizen ON replies (citizen, at_us) WHERE citizen IS NOT NULL;
CREATE INDEX replies_to_retire ON replies (received_us) WHERE retired = 0;

-- Replies that were not understood, for a person.
CREATE TABLE inbox (
    reply INTEGER PRIMARY KEY REFERENCES replies,
    opened_us INTEGER NOT NULL,
    why TEXT NOT NULL,
    closed_us INTEGER,
    closed_by TEXT NOT NULL DEFAULT '',
    answer TEXT NOT NULL DEFAULT '',
    taught TEXT NOT NULL DEFAULT '' -- the intent that the person gave the words
);
CREATE INDEX inbox_open ON inbox (opened_us) WHERE closed_us IS NULL;

-- What the last message asked of a citizen, over both channels.
CREATE TABLE dialogues (
    citizen INTEGER PRIMARY KEY REFERENCES citizens,
    question TEXT NOT NULL,
    offered TEXT NOT NULL, -- JSON: [[source, appointment, start_us], ...] in the order of their numbers
    asked_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
);

CREATE TABLE cancellations (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    appointment TEXT NOT NULL,
    start_us INTEGER NOT NULL, -- the hour that the citizen wants to cancel
    reply INTEGER REFERENCES replies,
    asked_us INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('wanted', 'calling', 'unknown', 'done', 'gone', 'refused', 'moved', 'late')),
    tries INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    next_us INTEGER NOT NULL,
    calling_us INTEGER,
    ended_us INTEGER,
    code TEXT NOT NULL DEFAULT '',
    UNIQUE (source, appointment, start_us)
);
CREATE INDEX cancellations_state ON cancellations (state, next_us);

CREATE TABLE pauses (
    id INTEGER PRIMARY KEY,
    office TEXT NOT NULL,
    from_us INTEGER NOT NULL,
    until_us INTEGER, -- NULL: until a person ends it
    why TEXT NOT NULL,
    by TEXT NOT NULL
);
CREATE INDEX pauses_office ON pauses (office);

CREATE TABLE channels (
    channel TEXT PRIMARY KEY,
    failures INTEGER NOT NULL, -- in a row
    open_until_us INTEGER, -- NULL: closed
    is_stopped INTEGER NOT NULL, -- 1: until a person resumes it
    why TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE templates (
    template TEXT NOT NULL,
    language TEXT NOT NULL,
    unusable_us INTEGER NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (template, language)
) WITHOUT ROWID;

CREATE TABLE approvals (
    id INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    text TEXT NOT NULL, -- the text's name
    version TEXT NOT NULL, -- digest of what was approved
    language TEXT NOT NULL,
    channel TEXT NOT NULL,
    office TEXT NOT NULL,
    by TEXT NOT NULL
);
CREATE INDEX approvals_text ON approvals (text, language, channel);
CREATE TRIGGER approvals_stay BEFORE UPDATE ON approvals BEGIN
    SELECT RAISE(ABORT, 'an approval is never rewritten');
END;
CREATE TRIGGER approvals_are_kept BEFORE DELETE ON approvals BEGIN
    SELECT RAISE(ABORT, 'an approval is never forgotten');
END;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL, -- no personal data: a record is never rewritten
    detail TEXT NOT NULL,
    hash BLOB NOT NULL -- of the record before it and of this one
);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit is never rewritten');
END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit is never forgotten');
END;
