-- Probes, notes of outages, recorded faults and corrective actions are facts that a closed month is made of, too: none of
-- them may claim to have been recorded before a month was closed. And a close is later than those before it, because the
-- ledger of faults takes the earlier months from them.

CREATE TRIGGER probe_imports_after_close BEFORE INSERT ON probe_imports
WHEN NEW.at_us <= (SELECT max(known_us) FROM closed_months) BEGIN
    SELECT RAISE(ABORT, 'a month was closed meanwhile: record it again');
END;
-- Also the probes of an earlier import: they have its time.
CREATE TRIGGER probes_after_close BEFORE INSERT ON probes
WHEN (SELECT at_us FROM probe_imports WHERE id = NEW.import) <= (SELECT max(known_us) FROM closed_months) BEGIN
    SELECT RAISE(ABORT, 'a month was closed meanwhile: record it again');
END;
CREATE TRIGGER probe_incidents_after_close BEFORE INSERT ON probe_incidents
WHEN NEW.recorded_us <= (SELECT max(known_us) FROM closed_months) BEGIN
    SELECT RAISE(ABORT, 'a month was closed meanwhile: record it again');
END;
CREATE TRIGGER recorded_faults_after_close BEFORE INSERT ON recorded_faults
WHEN NEW.recorded_us <= (SELECT max(known_us) FROM closed_months) BEGIN
    SELECT RAISE(ABORT, 'a month was closed meanwhile: record it again');
END;
CREATE TRIGGER action_events_after_close BEFORE INSERT ON action_events
WHEN NEW.recorded_us <= (SELECT max(known_us) FROM closed_months) BEGIN
    SELECT RAISE(ABORT, 'a month was closed meanwhile: record it again');
END;
CREATE TRIGGER closed_months_after_close BEFORE INSERT ON closed_months
WHEN NEW.known_us <= (SELECT max(known_us) FROM closed_months) BEGIN
    SELECT RAISE(ABORT, 'a month was closed meanwhile: close it again');
END;
