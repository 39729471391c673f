-- The accounts that may call, and who changed what of them. Text is kept as people wrote it in the file that they imported.

CREATE TABLE accounts (
    account TEXT NOT NULL COLLATE NOCASE, -- panels send hex digits in both cases; leading zeros count
    receiver TEXT NOT NULL COLLATE NOCASE, -- empty: whatever the frame says
    line TEXT NOT NULL COLLATE NOCASE,
    home TEXT NOT NULL,
    key_name TEXT NOT NULL,
    clock_window TEXT NOT NULL, -- "standard", "off" or "-40..20"
    interval_s INTEGER NOT NULL,
    support_level INTEGER NOT NULL,
    remaps TEXT NOT NULL, -- "120=fall:LIFE;..."
    PRIMARY KEY (account, receiver, line)
) WITHOUT ROWID;

CREATE INDEX accounts_home ON accounts (home) WHERE home != '';

CREATE TABLE account_changes (
    id INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    by TEXT NOT NULL, -- Unix user
    account TEXT NOT NULL COLLATE NOCASE,
    receiver TEXT NOT NULL COLLATE NOCASE,
    line TEXT NOT NULL COLLATE NOCASE,
    field TEXT NOT NULL, -- a column of accounts, or "registered", "removed"
    old TEXT NOT NULL,
    new TEXT NOT NULL
);

CREATE INDEX account_changes_account ON account_changes (account);

CREATE TRIGGER account_changes_stay BEFORE UPDATE ON account_changes BEGIN
    SELECT RAISE(ABORT, 'what was changed about an account is never rewritten');
END;
CREATE TRIGGER account_changes_are_kept BEFORE DELETE ON account_changes BEGIN
    SELECT RAISE(ABORT, 'what was changed about an account is never forgotten');
END;
