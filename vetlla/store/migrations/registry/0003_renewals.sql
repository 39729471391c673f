-- The plan of renewals in force: its visits and what is done in each. A new plan takes the old one's place; visits
-- that were agreed with people keep their number.

CREATE TABLE plans (
    id INTEGER PRIMARY KEY,
    made_us INTEGER NOT NULL,
    first TEXT NOT NULL,
    last TEXT NOT NULL,
    figures TEXT NOT NULL -- JSON by base: peak, bound, capacity
);

CREATE TABLE visits (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- a number told to people is never given to another visit
    home TEXT NOT NULL, -- empty: a home that is still to join
    base TEXT NOT NULL,
    day TEXT NOT NULL,
    minutes INTEGER NOT NULL,
    digital INTEGER,
    agreed INTEGER NOT NULL,
    earliest TEXT NOT NULL,
    latest TEXT NOT NULL,
    stretch_first TEXT NOT NULL,
    stretch_last TEXT NOT NULL,
    stretch_minutes INTEGER NOT NULL,
    stretch_days INTEGER NOT NULL,
    rank TEXT NOT NULL,
    instead_of TEXT,
    overdue INTEGER NOT NULL
);

CREATE INDEX visits_day ON visits (day, base);
CREATE INDEX visits_home ON visits (home) WHERE home != '';

CREATE TABLE visit_tasks (
    visit INTEGER NOT NULL REFERENCES visits (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    work TEXT NOT NULL,
    device INTEGER NOT NULL, -- 0: equipment of a home that is still to join
    type TEXT NOT NULL,
    due TEXT NOT NULL,
    minutes INTEGER NOT NULL,
    PRIMARY KEY (visit, place)
) WITHOUT ROWID;
