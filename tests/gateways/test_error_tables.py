"""The handbook says of every code of the channels what happens, and the tables can be read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.channel_errors import ErrorAction, ErrorTable
from vetlla.gateways.sms import smpp, twilio
from vetlla.gateways.whatsapp import errors

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (Path(__file__).parents[2] / "docs" / "reminders-channels.md").read_text(encoding="utf-8")
TABLES: dict[str, Callable[[], ErrorTable]] = {
    "What each error does": errors.error_table,
    "A gateway of Twilio's shape": twilio.error_table,
    "SMPP 3.4": smpp.error_table,
}
WORDS = {
    ErrorAction.ALERT: "alert",
    ErrorAction.SMS_AND_ALERT: "alert",
    ErrorAction.SMS_IF_NOT_OPTED_OUT: "alert",
    ErrorAction.TEMPLATE_UNUSABLE: "alert",
    ErrorAction.CONFIGURATION: "alert",
    ErrorAction.STOP_CHANNEL: "stops",
    ErrorAction.OPEN_CIRCUIT: "paged",
    ErrorAction.BACK_OFF: "wait",
    ErrorAction.RETRY: "try again",
    ErrorAction.DEAD_NUMBER: "not tried again",
    ErrorAction.OPTED_OUT: "opt-out",
    ErrorAction.NONE: "nothing",
    ErrorAction.AS_TEMPLATE: "template",
    ErrorAction.TO_PHONE: "number",
    ErrorAction.SMS: "SMS",
    ErrorAction.NO_WHATSAPP: "30 days",
}
"""A word that the handbook uses for each action."""


@pytest.mark.parametrize("title", TABLES)
def test_the_handbook_says_what_happens(title: str) -> None:
    """Each row of the handbook has the action of each code that it names."""
    section = re.split(rf"^###? {re.escape(title)}$", PAGE, flags=re.MULTILINE)[1]
    section = re.split(r"^##", section, flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| (.+?) \| .+? \| (.+) \|$", section, flags=re.MULTILINE)
    table = TABLES[title]()
    told = 0
    for codes, words in rows:
        for code in re.findall(r"HTTP-\d+|\b\d+(?:-\d+)?\b|\b[A-Z]{6,8}\b|\*", codes):
            told += 1
            assert WORDS[table.rule(code.partition("-")[0] if code[0].isdigit() else code).action] in words, code
    assert told >= 15


def test_every_code_of_whatsapp_is_in_the_handbook() -> None:
    """An operator who sees a code in the log finds it there."""
    codes = [code for rule in errors.error_table().rules() for code in rule.codes.split()]
    assert [code for code in codes if not re.search(rf"(?<![\d-]){re.escape(code)}(?!\d)", PAGE)] == []
