-- Homes, people and devices with their append-only history. Days are ISO dates: they sort as text.

CREATE TABLE homes (
    code TEXT PRIMARY KEY,
    district TEXT NOT NULL,
    base TEXT NOT NULL,
    level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 3),
    alone INTEGER NOT NULL CHECK (alone IN (0, 1)),
    language TEXT NOT NULL,
    phones TEXT NOT NULL -- JSON list
) WITHOUT ROWID;

CREATE TABLE home_periods (
    home TEXT NOT NULL REFERENCES homes (code),
    kind TEXT NOT NULL CHECK (kind IN ('active', 'suspended')),
    since TEXT NOT NULL,
    until TEXT, -- the last day; NULL: still running
    PRIMARY KEY (home, kind, since)
) WITHOUT ROWID;

CREATE TABLE people (
    code TEXT PRIMARY KEY,
    home TEXT NOT NULL REFERENCES homes (code),
    user_type TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX people_home ON people (home);

CREATE TABLE programme_periods (
    person TEXT NOT NULL REFERENCES people (code),
    programme TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT,
    PRIMARY KEY (person, programme, since)
) WITHOUT ROWID;

CREATE TABLE devices (
    id INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    serial TEXT NOT NULL,
    model TEXT NOT NULL,
    imei TEXT NOT NULL,
    account TEXT NOT NULL,
    made_year INTEGER,
    made_week INTEGER,
    first_installed TEXT,
    cost_from TEXT,
    guarantee_until TEXT,
    UNIQUE (type, serial)
);

CREATE INDEX devices_serial ON devices (serial);
CREATE INDEX devices_imei ON devices (imei) WHERE imei != '';
CREATE INDEX devices_account ON devices (account) WHERE account != '';

-- What happened to a device and how it stood afterwards. The last one up to a day is where the device was that day.
CREATE TABLE movements (
    id INTEGER PRIMARY KEY,
    device INTEGER NOT NULL REFERENCES devices (id),
    day TEXT NOT NULL,
    kind TEXT NOT NULL,
    place TEXT NOT NULL,
    home TEXT NOT NULL,
    ownership TEXT NOT NULL,
    other INTEGER REFERENCES devices (id),
    note TEXT NOT NULL,
    recorded_us INTEGER NOT NULL
);

CREATE INDEX movements_device ON movements (device, day, id);
CREATE INDEX movements_home ON movements (home) WHERE home != '';

CREATE TABLE upkeep (
    device INTEGER NOT NULL REFERENCES devices (id),
    kind TEXT NOT NULL CHECK (kind IN ('battery', 'maintenance')),
    day TEXT NOT NULL,
    recorded_us INTEGER NOT NULL,
    PRIMARY KEY (device, kind, day)
) WITHOUT ROWID;

CREATE TRIGGER movements_stay BEFORE UPDATE ON movements BEGIN
    SELECT RAISE(ABORT, 'the history of a device is never rewritten');
END;
CREATE TRIGGER movements_are_kept BEFORE DELETE ON movements BEGIN
    SELECT RAISE(ABORT, 'the history of a device is never shortened');
END;
CREATE TRIGGER upkeep_stays BEFORE UPDATE ON upkeep BEGIN
    SELECT RAISE(ABORT, 'the history of a device is never rewritten');
END;
CREATE TRIGGER upkeep_is_kept BEFORE DELETE ON upkeep BEGIN
    SELECT RAISE(ABORT, 'the history of a device is never shortened');
END;
