"""Messages, receipts and replies over SMPP 3.4 with the SMSC of Jasmin's library, which is not ours."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bench.killing.receiver import free_port
from tests.rigs.smsc import PASSWORD, USER, Smsc, running_smsc
from vetlla.domain.errors import LinkError, StoreError
from vetlla.domain.failures import FailureAction
from vetlla.domain.messages import Channel, Delivery, Outgoing
from vetlla.gateways.contracts import OutcomeUnknownError, RefusedError
from vetlla.gateways.sms.coding import Alphabet
from vetlla.gateways.sms.receipts import IdForm
from vetlla.gateways.sms.smpp import LongText, SmppAccount, SmppBounds, SmppGateway, failure_table, validity

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vetlla.gateways.received import Received

REMINDER = Outgoing(reference="out:1", phone="+34600000001", text="Cita a les 10:30. Anul·lar: 2", useful_s=5_400)
SHORT = Outgoing(reference="out:2", phone="+34600000001", text="Gràcies @ €")
LONG = Outgoing(reference="out:3", phone="+34600000001", text="ç" * 130)


class Office:
    """A gateway with what it took and told."""

    def __init__(self, port: int, **parts: Any) -> None:  # noqa: ANN401 - any setting
        self.taken: list[Received] = []
        self.told: list[str] = []
        self.broken = 0
        self.later = timedelta()
        bounds = SmppBounds(**parts.pop("bounds", {}))
        values = {"host": "127.0.0.1", "port": port, "user": USER, "password": PASSWORD, "sender": "34600000099"}
        self.gateway = SmppGateway(
            "sms",
            SmppAccount(**{**values, **parts}),
            now=lambda: datetime.now(UTC) + self.later,
            take=self.take,
            on_change=self.told.append,
            bounds=bounds,
        )

    async def take(self, _: bytes, received: Received) -> None:
        if self.broken:
            self.broken -= 1
            raise StoreError("the disk is full")
        self.taken.append(received)

    @property
    def reports(self) -> list[Any]:
        return [one for received in self.taken for one in received.reports]

    @property
    def replies(self) -> list[Any]:
        return [one for received in self.taken for one in received.replies]

    async def until(self, is_enough: Any) -> None:  # noqa: ANN401 - a function of nothing
        async with asyncio.timeout(30):
            while not is_enough():  # noqa: ASYNC110 - the condition has no event
                await asyncio.sleep(0.01)

    async def until_bound(self) -> None:
        await self.until(lambda: not self.gateway.fault)


@asynccontextmanager
async def office(port: int, **parts: Any) -> AsyncIterator[Office]:  # noqa: ANN401 - any setting
    """Run a gateway during the block."""
    one = Office(port, **parts)
    running = asyncio.create_task(one.gateway.run())
    try:
        yield one
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def bound(**parts: Any) -> AsyncIterator[tuple[Smsc, Office]]:  # noqa: ANN401 - any setting
    """Run an SMSC and a gateway that has a session with it."""
    async with running_smsc() as smsc, office(smsc.port, **parts) as one:
        await one.until_bound()
        yield smsc, one


async def test_a_text_with_catalan_letters_travels_as_ucs_2() -> None:
    """With the time in which it is useful, a wish for a receipt, and the kinds of both numbers."""
    async with bound() as (smsc, one):
        assert one.gateway.channel is Channel.SMS
        accepted = await one.gateway.send(REMINDER)
    (submit,) = smsc.named("submit")
    assert accepted.provider_id == "1001"
    assert bytes.fromhex(submit["hex"]).decode("utf-16-be") == REMINDER.text
    assert (submit["coding"], submit["to"], submit["from"]) == ("DataCodingDefault.UCS2", "34600000001", "34600000099")
    assert submit["ton"] == "AddrTon.INTERNATIONAL"
    assert "SMSC_DELIVERY_RECEIPT_REQUESTED" in submit["receipt"]
    assert "days=0, hours=1, minutes=30, seconds=0" in submit["validity"]


@pytest.mark.parametrize(
    ("alphabet", "text", "data", "coding"),
    [
        (Alphabet.GSM_7, SHORT.text, b"Gr\x7fcies \x00 \x1b\x65", "SMSC_DEFAULT_ALPHABET"),
        (Alphabet.LATIN_1, "Gràcies @", b"Gr\xe0cies @", "SMSC_DEFAULT_ALPHABET"),
        (Alphabet.LATIN_1, "5 €", "5 €".encode("utf-16-be"), "UCS2"),
    ],
)
async def test_the_default_alphabet_is_a_setting(alphabet: Alphabet, text: str, data: bytes, coding: str) -> None:
    """Some SMSCs mean the 7-bit alphabet by data coding 0, others Latin-1."""
    async with bound(alphabet=alphabet) as (smsc, one):
        await one.gateway.send(Outgoing(reference="out:2", phone="+34600000001", text=text))
    (submit,) = smsc.named("submit")
    assert bytes.fromhex(submit["hex"]) == data
    assert submit["coding"] == f"DataCodingDefault.{coding}"


async def test_a_long_text_goes_in_parts_with_headers() -> None:
    """Only the last part wants a receipt, which stands for the text."""
    async with bound() as (smsc, one):
        accepted = await one.gateway.send(LONG)
    first, second = smsc.named("submit")
    headers = [bytes.fromhex(submit["hex"])[:6] for submit in (first, second)]
    assert [header[:3] for header in headers] == [b"\x05\x00\x03"] * 2
    assert headers[0][3] == headers[1][3]
    assert [(header[4], header[5]) for header in headers] == [(2, 1), (2, 2)]
    texts = [bytes.fromhex(submit["hex"])[6:].decode("utf-16-be") for submit in (first, second)]
    assert texts == ["ç" * 67, "ç" * 63]
    assert all("UDHI" in submit["features"][0] for submit in (first, second))
    assert first["receipt"].endswith("NO_SMSC_DELIVERY_RECEIPT_REQUESTED")
    assert not second["receipt"].endswith("NO_SMSC_DELIVERY_RECEIPT_REQUESTED")
    assert accepted.provider_id == "1002"


async def test_a_long_text_goes_whole_if_the_settings_say_so() -> None:
    """In the parameter for texts above 254 bytes."""
    async with bound(long_text=LongText.PAYLOAD) as (smsc, one):
        await one.gateway.send(LONG)
    (submit,) = smsc.named("submit")
    assert submit["hex"] == ""
    assert bytes.fromhex(submit["payload"]).decode("utf-16-be") == LONG.text


@pytest.mark.parametrize("receipts", ["after", "before", "tlv"])
@pytest.mark.parametrize("ids", ["same", "hex"])
async def test_a_receipt_is_told_with_our_reference(receipts: str, ids: str) -> None:
    """It comes after or before the answer, as text or as parameters, and its number may have another form."""
    forms = {"answer_ids": IdForm.HEX, "receipt_ids": IdForm.DECIMAL} if ids == "hex" else {}
    async with bound(**forms) as (smsc, one):
        await smsc.order(receipts=receipts, ids=ids)
        accepted = await one.gateway.send(REMINDER)
        await one.until(lambda: one.reports)
    (report,) = one.reports
    assert report.provider_id == accepted.provider_id == "1001"
    assert (report.delivery, report.reference) == (Delivery.DELIVERED, "out:1")
    assert report.phone == "+34600000001"


async def test_a_reply_is_read_in_each_coding() -> None:
    """UCS-2, Latin-1, and the default alphabet."""
    async with bound() as (smsc, one):
        for text, data, coding in (
            ("Anul·lar", "Anul·lar".encode("utf-16-be"), "UCS2"),
            ("Sí", b"S\xed", "LATIN_1"),
            ("Vale €", b"Vale \x1b\x65", "SMSC_DEFAULT_ALPHABET"),
        ):
            await smsc.order(deliver={"from": "34600000001", "to": "34600000099", "hex": data.hex(), "coding": coding})
            await one.until(lambda text=text: any(reply.text == text for reply in one.replies))
    assert {reply.phone for reply in one.replies} == {"+34600000001"}
    assert len({reply.provider_id for reply in one.replies}) == 3


async def test_the_parts_of_a_long_reply_are_one_reply() -> None:
    """The parts come in any order. One part alone could read as a cancellation."""
    texts = ["Voldria saber si puc ", "anul·lar"]
    async with bound() as (smsc, one):
        for place in (2, 1):
            data = bytes((5, 0, 3, 7, 2, place)) + texts[place - 1].encode("utf-16-be")
            given = {"from": "34600000001", "to": "34600000099", "hex": data.hex(), "coding": "UCS2", "udhi": True}
            await smsc.order(deliver=given)
        await one.until(lambda: one.replies)
    assert [reply.text for reply in one.replies] == ["Voldria saber si puc anul·lar"]


async def test_a_reply_of_which_a_part_is_missing_goes_on_after_a_minute() -> None:
    """The missing part is marked, so that the rest is no command."""
    async with bound(bounds={"late_check_s": 0.05}) as (smsc, one):
        data = b"\x05\x00\x03\x07\x02\x02" + b"ANULAR"
        await smsc.order(deliver={"from": "34600000001", "to": "34600000099", "hex": data.hex(), "udhi": True})
        await asyncio.sleep(0.3)
        assert one.taken == []
        one.later = timedelta(seconds=61)
        await one.until(lambda: one.replies)
    assert [reply.text for reply in one.replies] == [" […] ANULAR"]


async def test_a_throttled_message_was_not_sent() -> None:
    """The status is told, and the table has its action."""
    async with bound() as (smsc, one):
        await smsc.order(answer="ESME_RTHROTTLED", times=1)
        with pytest.raises(RefusedError) as raised:
            await one.gateway.send(REMINDER)
        assert raised.value.code == "88"
        assert (await one.gateway.send(REMINDER)).provider_id
    assert failure_table().rule("88").action is FailureAction.BACK_OFF


async def test_a_wrong_number_is_refused_with_its_status() -> None:
    """ESME_RINVDSTADR."""
    async with bound() as (smsc, one):
        await smsc.order(answer="ESME_RINVDSTADR", times=1)
        with pytest.raises(RefusedError) as raised:
            await one.gateway.send(REMINDER)
    assert failure_table().rule(raised.value.code).action is FailureAction.DEAD_NUMBER


@pytest.mark.parametrize(
    ("state", "action"),
    [("UNDELIV", FailureAction.NONE), ("EXPIRED", FailureAction.NONE), ("REJECTD", FailureAction.ALERT)],
)
def test_a_receipt_never_says_that_a_number_does_not_exist(state: str, action: FailureAction) -> None:
    """A telephone that is off is UNDELIV, and a sender that the network blocks is REJECTD."""
    assert failure_table().action(state) is action


async def test_a_further_part_that_is_throttled_is_tried_again() -> None:
    """The first part is accepted, so the text cannot be taken back."""
    async with bound() as (smsc, one):
        await smsc.order(answer="ESME_RTHROTTLED", times=1, after=1)
        assert (await one.gateway.send(LONG)).provider_id
    assert len(smsc.named("submit")) == 3


async def test_a_text_of_which_one_part_is_refused_has_an_unknown_outcome() -> None:
    """A telephone may show it when the missing part does not come."""
    async with bound(bounds={"part_tries": 2}) as (smsc, one):
        await smsc.order(answer="ESME_RTHROTTLED", times=2, after=1)
        with pytest.raises(OutcomeUnknownError):
            await one.gateway.send(LONG)
    assert len(smsc.named("submit")) == 3


async def test_a_session_that_ends_between_two_parts_leaves_the_outcome_unknown() -> None:
    """The first part was accepted."""
    async with bound() as (smsc, one):
        await smsc.order(cut=True)
        with pytest.raises(OutcomeUnknownError):
            await one.gateway.send(LONG)


async def test_an_accepted_message_without_an_id_has_an_unknown_outcome() -> None:
    """No receipt could be told to be its own."""
    async with bound() as (smsc, one):
        await smsc.order(nameless=True)
        with pytest.raises(OutcomeUnknownError):
            await one.gateway.send(REMINDER)


@pytest.mark.parametrize(
    ("phone", "text"), [("", "x"), ("ES.1", "x"), ("+34600000001", ""), ("+34600000001", "a" * 40_000)]
)
async def test_a_message_that_cannot_be_an_sms_is_not_sent(phone: str, text: str) -> None:
    """It has no number, no text, or too many parts."""
    async with bound() as (smsc, one):
        with pytest.raises(RefusedError):
            await one.gateway.send(Outgoing(reference="r", phone=phone, text=text))
    assert smsc.named("submit") == []


@pytest.mark.parametrize(
    ("sender", "ton"),
    [("+34600000099", "INTERNATIONAL"), ("22770", "NETWORK_SPECIFIC"), ("OMAC", "ALPHANUMERIC")],
)
async def test_the_kind_of_the_sender_is_told(sender: str, ton: str) -> None:
    """A number, a short number, or a name."""
    async with bound(sender=sender) as (smsc, one):
        await one.gateway.send(REMINDER)
    (submit,) = smsc.named("submit")
    assert (submit["from"], submit["ton"]) == (sender.removeprefix("+"), f"AddrTon.{ton}")


async def test_a_submit_without_an_answer_has_an_unknown_outcome_and_a_new_session_is_made() -> None:
    """The SMSC may have taken the message."""
    async with bound(bounds={"answer_s": 0.3}) as (smsc, one):
        await smsc.order(silent=True)
        with pytest.raises(OutcomeUnknownError):
            await one.gateway.send(REMINDER)
        await one.until(lambda: len(smsc.named("bound")) == 2)
        await smsc.order(silent=False)
        await one.until_bound()
        assert (await one.gateway.send(REMINDER)).provider_id


async def test_a_session_that_ends_under_a_submit_leaves_its_outcome_unknown() -> None:
    """The connection is cut before the answer."""
    async with bound() as (smsc, one):
        await smsc.order(silent=True)
        sending = asyncio.create_task(one.gateway.send(REMINDER))
        await smsc.until(lambda: bool(smsc.named("submit")))
        await smsc.order(drop=True)
        with pytest.raises(OutcomeUnknownError):
            await sending


async def test_without_a_session_nothing_is_sent_and_a_new_one_is_made() -> None:
    """The SMSC restarts, and the gateway comes back by itself."""
    port = free_port()
    async with office(port) as one:
        await one.until(lambda: one.told)
        with pytest.raises(LinkError, match="no session") as raised:
            await one.gateway.send(REMINDER)
        assert not isinstance(raised.value, OutcomeUnknownError)
        async with running_smsc(port):
            await one.until_bound()
            assert (await one.gateway.send(REMINDER)).provider_id
        await one.until(lambda: one.gateway.fault)
        with pytest.raises(LinkError, match="no session"):
            await one.gateway.send(REMINDER)
        async with running_smsc(port):
            await one.until_bound()
            assert (await one.gateway.send(REMINDER)).provider_id
    assert one.told.count("") == 2


async def test_a_refused_bind_is_told_as_such() -> None:
    """smpp34 tells it as a bind that took too long, so the password is named as a cause."""
    bounds = {"bind_s": 0.5}
    async with running_smsc() as smsc, office(smsc.port, password="wrong", bounds=bounds) as one:
        await one.until(lambda: one.told)
        with pytest.raises(LinkError, match="did not accept the bind: user, password or system type may be wrong"):
            await one.gateway.send(REMINDER)


async def test_what_cannot_be_kept_is_kept_later() -> None:
    """The SMSC has its receipt already and would not send the reply again."""
    async with bound(bounds={"keep_again_s": 0.01}) as (smsc, one):
        one.broken = 3
        await smsc.order(deliver={"from": "34600000001", "to": "34600000099", "hex": b"NO".hex()})
        await one.until(lambda: one.replies)
    assert [reply.text for reply in one.replies] == ["NO"]


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, ""), (5_400, "000000013000000R"), (59, "000000000059000R"), (10**9, "000030000000000R")],
)
def test_the_time_in_which_a_message_is_useful_is_relative(seconds: int, written: str) -> None:
    """SMPP 3.4, 7.1.1."""
    assert validity(seconds) == written


def test_the_password_is_not_shown() -> None:
    """An account can be logged."""
    assert "secret" not in repr(SmppAccount(host="h", port=1, user="u", password="secret", sender="OMAC"))
