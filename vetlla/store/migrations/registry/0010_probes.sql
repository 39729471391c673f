-- Probes of the service's parts, as machines outside saw them, and what people noted about outages. Nothing is ever
-- changed. A month has a million probes of a few parts, so names are numbers here. Times: microseconds UTC.

CREATE TABLE probe_machines (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE probe_components (
    id INTEGER PRIMARY KEY,
    part TEXT NOT NULL CHECK (part IN ('system', 'access')),
    name TEXT NOT NULL,
    UNIQUE (part, name)
);

CREATE TABLE probe_reasons (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
);

CREATE TABLE probe_imports (
    id INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    "by" TEXT NOT NULL, -- Unix user
    file TEXT NOT NULL -- its name, without its folder
);

CREATE TABLE probes (
    component INTEGER NOT NULL REFERENCES probe_components (id),
    started_us INTEGER NOT NULL,
    machine INTEGER NOT NULL REFERENCES probe_machines (id),
    duration_us INTEGER NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('ok', 'failed', 'timeout')),
    reason INTEGER NOT NULL REFERENCES probe_reasons (id),
    through TEXT NOT NULL CHECK (through IN ('', 'ack', 'journal', 'queue')),
    account TEXT NOT NULL, -- of a signal, as the journal has it
    import INTEGER NOT NULL REFERENCES probe_imports (id),
    PRIMARY KEY (component, started_us, machine)
) WITHOUT ROWID;

CREATE TABLE probe_incidents (
    id INTEGER PRIMARY KEY,
    component TEXT NOT NULL,
    begun_us INTEGER NOT NULL,
    ended_us INTEGER NOT NULL CHECK (ended_us > begun_us),
    planned INTEGER NOT NULL CHECK (planned IN (0, 1)),
    note TEXT NOT NULL,
    "by" TEXT NOT NULL,
    recorded_us INTEGER NOT NULL
);

CREATE TRIGGER probes_stay BEFORE UPDATE ON probes BEGIN
    SELECT RAISE(ABORT, 'a probe is never rewritten');
END;
CREATE TRIGGER probes_are_kept BEFORE DELETE ON probes BEGIN
    SELECT RAISE(ABORT, 'a probe is never deleted');
END;
CREATE TRIGGER probe_imports_stay BEFORE UPDATE ON probe_imports BEGIN
    SELECT RAISE(ABORT, 'an import of probes is never rewritten');
END;
CREATE TRIGGER probe_imports_are_kept BEFORE DELETE ON probe_imports BEGIN
    SELECT RAISE(ABORT, 'an import of probes is never deleted');
END;
CREATE TRIGGER probe_incidents_stay BEFORE UPDATE ON probe_incidents BEGIN
    SELECT RAISE(ABORT, 'a note of an outage is never rewritten');
END;
CREATE TRIGGER probe_incidents_are_kept BEFORE DELETE ON probe_incidents BEGIN
    SELECT RAISE(ABORT, 'a note of an outage is never deleted');
END;
