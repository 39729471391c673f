"""The table of Meta's codes has the action of every code, and pywa knows the same codes."""

from __future__ import annotations

import pytest
from pywa import errors as pywa_errors

from vetlla.domain.channel_errors import ErrorAction, ErrorTable, error_table_of
from vetlla.gateways.whatsapp.errors import error_table

TABLE: ErrorTable = error_table()


@pytest.mark.parametrize(
    ("codes", "action"),
    [
        ("131026", ErrorAction.NO_WHATSAPP),
        ("131047", ErrorAction.AS_TEMPLATE),
        ("131049 130472", ErrorAction.SMS),
        ("131050", ErrorAction.SMS_IF_NOT_OPTED_OUT),
        ("131062", ErrorAction.TO_PHONE),
        ("131051 131052 131053", ErrorAction.SMS_AND_ALERT),
        ("131021 131030", ErrorAction.CONFIGURATION),
        ("130429 80007 4 131056 133016", ErrorAction.BACK_OFF),
        ("131048 131064 368 131031 130497 131042", ErrorAction.OPEN_CIRCUIT),
        ("132000 132005 132007 132008 132012", ErrorAction.SMS_AND_ALERT),
        ("132001 132015 132016", ErrorAction.TEMPLATE_UNUSABLE),
        ("190 0 3 10 200 250 299 131005", ErrorAction.STOP_CHANNEL),
        ("131000 131016 131057 135000 1 2", ErrorAction.RETRY),
        ("131008 131009 100 131037 131045", ErrorAction.ALERT),
    ],
)
def test_each_code_has_its_action(codes: str, action: ErrorAction) -> None:
    """The actions are those of the table of reminders, section errors."""
    assert {TABLE.rule(code).action for code in codes.split()} == {action}


def test_no_whatsapp_is_remembered_for_thirty_days() -> None:
    """131026 has several causes, so it is no proof for ever."""
    assert TABLE.rule("131026").wait_s == 30 * 86_400


def test_too_many_messages_to_one_person_wait_six_seconds_and_four_times_longer_each_time() -> None:
    """Meta allows about one message in six seconds to the same person."""
    rule = TABLE.rule("131056")
    assert (rule.wait_s, rule.factor) == (6, 4)


def test_a_message_that_meta_keeps_back_is_not_repeated_for_a_day() -> None:
    """131049 says so itself."""
    assert TABLE.rule("131049").wait_s == 86_400


@pytest.mark.parametrize("code", ["999999", "300", "199", "", "HTTP-404", "x", "٣"])
def test_a_code_that_is_unknown_goes_by_sms_and_alerts(code: str) -> None:
    """A new code of Meta's must cost no citizen the reminder."""
    assert TABLE.rule(code) is TABLE.other
    assert TABLE.other.action is ErrorAction.SMS_AND_ALERT


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
        ("codes,meaning,action,wait_s,factor\n1,x,fly,,\n", "line 2: 'fly' is not a valid ErrorAction"),
        ("codes,meaning,action,wait_s,factor\n1,x,sms,,\n1,y,sms,,\n*,z,sms,,\n", "line 3: code 1 has a rule already"),
        ("codes,meaning,action,wait_s,factor\n1,x,sms,,\n", "for all other codes is missing"),
        ("codes,meaning,action,wait_s,factor\n1-x,x,sms,,\n*,z,sms,,\n", "line 2"),
        ("codes,meaning\n1,x\n", "line 2"),
        ("codes,meaning,action,wait_s,factor\n1,x,sms,soon,\n", "line 2"),
    ],
)
def test_a_table_that_cannot_be_used_names_its_line(text: str, reason: str) -> None:
    """An office may replace the table."""
    with pytest.raises(ValueError, match=reason):
        error_table_of(text)
