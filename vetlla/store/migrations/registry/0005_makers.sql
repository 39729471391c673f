-- Whose table of codes an account follows: "ajax", "climax", "inim"; '': the standard's.

ALTER TABLE accounts ADD COLUMN maker TEXT NOT NULL DEFAULT '';
