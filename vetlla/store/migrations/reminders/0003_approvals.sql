-- Approvals as the rules of texts know them. No program wrote the earlier table: it has no rows to keep.

DROP TABLE approvals;

CREATE TABLE approvals (
    id INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    title TEXT NOT NULL, -- the text's name for people: "ca sms reminder (office OMAC)"
    version INTEGER NOT NULL, -- the office's own number
    digest TEXT NOT NULL, -- SHA-256 of the words that were approved
    party TEXT NOT NULL, -- id of the office, or "Serveis Digitals"
    person TEXT NOT NULL -- who agreed, for the party
);
CREATE TRIGGER approvals_stay BEFORE UPDATE ON approvals BEGIN
    SELECT RAISE(ABORT, 'an approval is never rewritten');
END;
CREATE TRIGGER approvals_are_kept BEFORE DELETE ON approvals BEGIN
    SELECT RAISE(ABORT, 'an approval is never forgotten');
END;
