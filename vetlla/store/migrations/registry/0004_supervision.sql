-- What is expected of a terminal and of the UCRs that it hears, and what it fails together with.

ALTER TABLE accounts ADD COLUMN ucr_interval_s INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN allowed_misses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN labels TEXT NOT NULL DEFAULT ''; -- "operator:orange cell:214-07-1234"
