"""The handbook says of every code of the channels what happens, and the tables can be read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from smpp.pdu.constants import command_status_value_map

from vetlla.domain.failures import FailureAction, FailureTable
from vetlla.domain.messages import Channel
from vetlla.gateways.http import HttpCaller
from vetlla.gateways.sms import smpp, twilio
from vetlla.gateways.sms.generic import HttpSmsAccount, HttpSmsGateway, Method
from vetlla.gateways.whatsapp import errors
from vetlla.gateways.whatsapp.gateway import WhatsAppAccount, WhatsAppGateway

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.gateways.contracts import MessageGateway
    from vetlla.gateways.received import Received

PAGE = (Path(__file__).parents[2] / "docs" / "reminders-channels.md").read_text(encoding="utf-8")
TABLES: dict[str, Callable[[], FailureTable]] = {
    "What each error does": errors.failure_table,
    "A gateway of Twilio's shape": twilio.failure_table,
    "SMPP 3.4": smpp.failure_table,
}
WORDS = {
    FailureAction.ALERT: "alert",
    FailureAction.SMS_ALERT: "alert",
    FailureAction.TEMPLATE_UNUSABLE: "alert",
    FailureAction.CONFIGURATION: "alert",
    FailureAction.STOP_CHANNEL: "stops",
    FailureAction.OPEN_CIRCUIT: "paged",
    FailureAction.BACK_OFF: "wait",
    FailureAction.PAIR_WAIT: "wait 6 s",
    FailureAction.DEAD_NUMBER: "not tried again",
    FailureAction.OPTED_OUT: "opt-out",
    FailureAction.NONE: "nothing",
    FailureAction.TEMPLATE: "template",
    FailureAction.TO_PHONE: "number",
    FailureAction.SMS: "SMS",
    FailureAction.SMS_NO_WHATSAPP: "30 days",
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


@pytest.mark.parametrize("title", TABLES)
def test_every_code_is_in_the_handbook(title: str) -> None:
    """An operator who sees a code in the log finds it there."""
    codes = [code for rule in TABLES[title]().rules() for code in rule.codes.split()]
    assert [code for code in codes if not re.search(rf"(?<![\d-]){re.escape(code)}(?!\d)", PAGE)] == []


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("ESME_RINVDSTADR", FailureAction.DEAD_NUMBER),
        ("ESME_RTHROTTLED", FailureAction.BACK_OFF),
        ("ESME_RMSGQFUL", FailureAction.BACK_OFF),
        ("ESME_RSYSERR", FailureAction.BACK_OFF),
        ("ESME_RX_T_APPN", FailureAction.BACK_OFF),
        ("ESME_RDELIVERYFAILURE", FailureAction.BACK_OFF),
        ("ESME_RUNKNOWNERR", FailureAction.BACK_OFF),
        ("ESME_RINVBNDSTS", FailureAction.STOP_CHANNEL),
        ("ESME_RINVPASWD", FailureAction.STOP_CHANNEL),
        ("ESME_RINVSYSID", FailureAction.STOP_CHANNEL),
        ("ESME_RBINDFAIL", FailureAction.STOP_CHANNEL),
        ("ESME_RINVSRCADR", FailureAction.STOP_CHANNEL),
        ("ESME_RINVSRCTON", FailureAction.STOP_CHANNEL),
        ("ESME_RSUBMITFAIL", FailureAction.OPEN_CIRCUIT),
        ("ESME_RX_P_APPN", FailureAction.OPEN_CIRCUIT),
        ("ESME_RPROHIBITED", FailureAction.OPEN_CIRCUIT),
        ("ESME_RINVMSGLEN", FailureAction.ALERT),
        ("ESME_RINVEXPIRY", FailureAction.ALERT),
        ("ESME_RINVDCS", FailureAction.ALERT),
    ],
)
def test_the_statuses_of_smpp_have_their_numbers(name: str, action: FailureAction) -> None:
    """The numbers are those of Jasmin's library, which is not ours."""
    (number,) = (code for code, status in command_status_value_map.items() if status["name"] == name)
    assert smpp.failure_table().rule(str(number)).action is action


def test_each_channel_is_a_gateway() -> None:
    """The type checker compares each class with the contract."""
    http = HttpCaller()
    fields = {"to": "{to}", "text": "{text}"}

    async def take(_: bytes, __: Received) -> None: ...

    account = smpp.SmppAccount(host="h", port=1, user="u", password="p", sender="34600000099")
    gateways: list[MessageGateway] = [
        WhatsAppGateway("whatsapp", WhatsAppAccount(phone_number_id="1", token="t"), http),
        twilio.TwilioGateway("twilio", twilio.TwilioAccount(sid="AC1", token="t"), http),
        HttpSmsGateway("kannel", HttpSmsAccount(url="https://x", method=Method.GET_QUERY, fields=fields), http),
        smpp.SmppGateway("smpp", account, now=lambda: datetime.now(UTC), take=take),
    ]
    assert [one.channel for one in gateways] == [Channel.WHATSAPP, Channel.SMS, Channel.SMS, Channel.SMS]
    assert [one.name for one in gateways] == ["whatsapp", "twilio", "kannel", "smpp"]
