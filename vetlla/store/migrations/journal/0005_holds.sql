-- No alarm is forgotten. What the receiver has told of an alarm that waits or whose operator does nothing, when it
-- tells the next thing, and what an operator wrote to the supervisor.
ALTER TABLE alarms ADD COLUMN warned_us INTEGER;      -- waited for queue.t3_warn_s
ALTER TABLE alarms ADD COLUMN overdue_us INTEGER;     -- waited for queue.t3_max_s: put before a supervisor
ALTER TABLE alarms ADD COLUMN due_mono_us INTEGER;    -- next warning or escalation, unless an operator acts first
ALTER TABLE alarms ADD COLUMN lapsed_us INTEGER;      -- answered, and its operator was quiet for queue.hold_s
ALTER TABLE alarms ADD COLUMN escalated_us INTEGER;
ALTER TABLE alarms ADD COLUMN escalated_by TEXT NOT NULL DEFAULT '';
ALTER TABLE alarms ADD COLUMN escalated_why TEXT NOT NULL DEFAULT '';

-- The emergencies that a home's next call continues are looked up by when their alarms were closed.
CREATE INDEX alarms_closed ON alarms (closed_us) WHERE closed_us IS NOT NULL;
