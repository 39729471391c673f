-- How far each sink has come: it has passed on, or left out by its filter, every signal up to its position. The signals
-- themselves are the outbox. The row of a sink that is no longer configured stays.
CREATE TABLE sinks (
    name         TEXT    PRIMARY KEY,
    position     INTEGER NOT NULL, -- number of a signal
    moved_us     INTEGER NOT NULL, -- when this row was written last
    replay_after INTEGER NOT NULL, -- signals above this number ...
    replay_upto  INTEGER NOT NULL, -- ... up to this one are sent again; equal: no replay
    paused_us    INTEGER,          -- since when it is paused; NULL: it is not
    paused_by    TEXT    NOT NULL,
    reason       TEXT    NOT NULL
) WITHOUT ROWID;
