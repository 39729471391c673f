-- When a report was repeated last, on the monotonic clock of the machine start that stored it: a stepped wall clock must
-- not make another call of a retry. 0: it was repeated before this column was there.
ALTER TABLE duplicates ADD COLUMN last_mono_us INTEGER NOT NULL DEFAULT 0;
