-- Homes and people as dated facts, which are only ever added. What the tables homes, home_periods, people and
-- programme_periods held becomes the first fact of each home and person: it holds since always (0001-01-01).

-- Who recorded facts, when, and from where. Both numbers and times only grow, so that "as known at a time" is one
-- comparison, and no later recording can change its answer.
CREATE TABLE recordings (
    id INTEGER PRIMARY KEY,
    recorded_us INTEGER NOT NULL,
    by TEXT NOT NULL, -- Unix user; empty: the migration
    source TEXT NOT NULL -- name of the file, or the command
);

-- A row sets the fields that are not NULL, from the day ``since`` on. The first row of a home sets all of them.
CREATE TABLE home_facts (
    home TEXT NOT NULL,
    recording INTEGER NOT NULL REFERENCES recordings (id),
    since TEXT NOT NULL, -- ISO day
    correction INTEGER NOT NULL CHECK (correction IN (0, 1)),
    note TEXT NOT NULL,
    district TEXT,
    base TEXT,
    level INTEGER CHECK (level BETWEEN 1 AND 3),
    alone INTEGER CHECK (alone IN (0, 1)),
    language TEXT,
    phones TEXT, -- JSON list
    active TEXT, -- the whole list as known since the recording: "2024-04-01/2024-12-31;2025-03-01/"
    suspended TEXT, -- in the same form
    PRIMARY KEY (home, recording, since)
) WITHOUT ROWID;

CREATE TABLE person_facts (
    person TEXT NOT NULL,
    recording INTEGER NOT NULL REFERENCES recordings (id),
    since TEXT NOT NULL,
    correction INTEGER NOT NULL CHECK (correction IN (0, 1)),
    note TEXT NOT NULL,
    home TEXT,
    user_type TEXT,
    programmes TEXT, -- the whole list: "home_safety:2024-04-01/;mimal:2024-05-01/2024-12-31"
    active TEXT, -- as above; empty: the periods of the home
    suspended TEXT,
    PRIMARY KEY (person, recording, since)
) WITHOUT ROWID;

CREATE INDEX person_facts_home ON person_facts (home) WHERE home IS NOT NULL;

INSERT INTO recordings
SELECT 1, CAST(strftime('%s', 'now') AS INTEGER) * 1000000, '', 'migration'
 WHERE EXISTS (SELECT 1 FROM homes) OR EXISTS (SELECT 1 FROM people);

INSERT INTO home_facts
SELECT code, 1, '0001-01-01', 0, '', district, base, level, alone, language, phones,
       coalesce((SELECT group_concat(since || '/' || coalesce(until, ''), ';')
                   FROM (SELECT since, until FROM home_periods
                          WHERE home = code AND kind = 'active' ORDER BY since)), ''),
       coalesce((SELECT group_concat(since || '/' || coalesce(until, ''), ';')
                   FROM (SELECT since, until FROM home_periods
                          WHERE home = code AND kind = 'suspended' ORDER BY since)), '')
  FROM homes ORDER BY code;

INSERT INTO person_facts
SELECT code, 1, '0001-01-01', 0, '', home, user_type,
       coalesce((SELECT group_concat(programme || ':' || since || '/' || coalesce(until, ''), ';')
                   FROM (SELECT programme, since, until FROM programme_periods
                          WHERE person = code ORDER BY programme, since)), ''), '', ''
  FROM people ORDER BY code;

DROP TABLE programme_periods;
DROP TABLE people;
DROP TABLE home_periods;
DROP TABLE homes;

CREATE TRIGGER recordings_stay BEFORE UPDATE ON recordings BEGIN
    SELECT RAISE(ABORT, 'what was recorded about homes and people is never rewritten');
END;
CREATE TRIGGER recordings_are_kept BEFORE DELETE ON recordings BEGIN
    SELECT RAISE(ABORT, 'what was recorded about homes and people is never shortened');
END;
CREATE TRIGGER recordings_follow BEFORE INSERT ON recordings
WHEN NEW.recorded_us <= (SELECT recorded_us FROM recordings ORDER BY id DESC LIMIT 1)
  OR NEW.id <= (SELECT max(id) FROM recordings) AND NEW.id > 0 BEGIN -- -1 stands for the next number
    SELECT RAISE(ABORT, 'a recording is later than all recordings before it');
END;

CREATE TRIGGER home_facts_stay BEFORE UPDATE ON home_facts BEGIN
    SELECT RAISE(ABORT, 'what was recorded about homes and people is never rewritten');
END;
CREATE TRIGGER home_facts_are_kept BEFORE DELETE ON home_facts BEGIN
    SELECT RAISE(ABORT, 'what was recorded about homes and people is never shortened');
END;
-- INSERT OR REPLACE would delete a row without asking the trigger above.
CREATE TRIGGER home_facts_follow BEFORE INSERT ON home_facts
WHEN NEW.recording <> (SELECT max(id) FROM recordings)
  OR EXISTS (SELECT 1 FROM home_facts WHERE home = NEW.home AND recording = NEW.recording AND since = NEW.since) BEGIN
    SELECT RAISE(ABORT, 'a new fact belongs to the last recording, and replaces no other fact');
END;

CREATE TRIGGER person_facts_stay BEFORE UPDATE ON person_facts BEGIN
    SELECT RAISE(ABORT, 'what was recorded about homes and people is never rewritten');
END;
CREATE TRIGGER person_facts_are_kept BEFORE DELETE ON person_facts BEGIN
    SELECT RAISE(ABORT, 'what was recorded about homes and people is never shortened');
END;
CREATE TRIGGER person_facts_follow BEFORE INSERT ON person_facts
WHEN NEW.recording <> (SELECT max(id) FROM recordings)
  OR EXISTS (SELECT 1 FROM person_facts
              WHERE person = NEW.person AND recording = NEW.recording AND since = NEW.since) BEGIN
    SELECT RAISE(ABORT, 'a new fact belongs to the last recording, and replaces no other fact');
END;
