"""The table of Meta's codes has the action of every code, and pywa knows the same codes."""

from __future__ import annotations

import pytest
from pywa import errors as pywa_errors

from vetlla.domain.failures import FailureAction, FailureTable, failure_table_of
from vetlla.gateways.whatsapp.errors import failure_table

TABLE: FailureTable = failure_table()


@pytest.mark.parametrize(
    ("codes", "action"),
    [
        ("131026", FailureAction.SMS_NO_WHATSAPP),
        ("131047", FailureAction.TEMPLATE),
        ("131049 130472", FailureAction.SMS),
        ("131050", FailureAction.SMS_ALERT),
        ("131062", FailureAction.TO_PHONE),
        ("131051 131052 131053", FailureAction.SMS_ALERT),
        ("131021 131030", FailureAction.CONFIGURATION),
        ("130429 80007 4 133016", FailureAction.BACK_OFF),
        ("131056", FailureAction.PAIR_WAIT),
        ("131048 131064 368 131031 130497 131042", FailureAction.OPEN_CIRCUIT),
        ("132000 132005 132007 132008 132012", FailureAction.SMS_ALERT),
        ("132001 132015 132016", FailureAction.TEMPLATE_UNUSABLE),
        ("190 0 3 10 200 250 299 131005", FailureAction.STOP_CHANNEL),
        ("131000 131016 131057 135000 1 2", FailureAction.BACK_OFF),
        ("131008 131009 100 131037 131045", FailureAction.ALERT),
    ],
)
def test_each_code_has_its_action(codes: str, action: FailureAction) -> None:
    """The actions are those of the table of reminders, section errors."""
    assert {TABLE.rule(code).action for code in codes.split()} == {action}


@pytest.mark.parametrize("code", ["999999", "300", "199", "", "HTTP-404", "x", "٣"])
def test_a_code_that_is_unknown_goes_by_sms_and_alerts(code: str) -> None:
    """A new code of Meta's must cost no citizen the reminder."""
    assert TABLE.rule(code) is TABLE.other
    assert TABLE.other.action is FailureAction.SMS_ALERT


def test_pywa_knows_every_code_of_the_table() -> None:
    """Pywa 4.5.0 is a client that is not ours. It has no class for three general codes of the Graph API."""
    ours = {int(code) for code in TABLE.exact if code.isdigit()} | {200, 299}
    assert ours - set(pywa_errors._all_exceptions()) == {1, 2, 100}


def test_the_table_has_every_code_of_pywa_that_a_message_can_get() -> None:
    """Codes of calls, groups, forms, new accounts and new templates are left out."""
    families = (
        pywa_errors.AuthorizationError,
        pywa_errors.ThrottlingError,
        pywa_errors.IntegrityError,
        pywa_errors.SendMessageError,
    )
    missing = {
        kind.__name__
        for code, kind in pywa_errors._all_exceptions().items()
        if issubclass(kind, families) and TABLE.rule(str(code)) is TABLE.other
    }
    assert missing == {"FlowBlocked", "FlowThrottled", "RecipientIdentityKeyMismatch"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("codes,meaning,action\n1,x,fly\n", "line 2: 'fly' is not a valid FailureAction"),
        ("codes,meaning,action\n1,x,sms\n1,y,sms\n*,z,sms\n", "line 3: code 1 has a row already"),
        ("codes,meaning,action\n1,x,sms\n", "for all other codes is missing"),
        ("codes,meaning,action\n1-x,x,sms\n*,z,sms\n", "line 2"),
        ("codes,meaning\n1,x\n", "line 2"),
    ],
)
def test_a_table_that_cannot_be_used_names_its_line(text: str, reason: str) -> None:
    """An office may replace the table."""
    with pytest.raises(ValueError, match=reason):
        failure_table_of(text)
