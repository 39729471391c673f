"""What the simulated SMS gateway does with messages, through the project's own gateway and endpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.rigs.messaging import PHONE, Channels, basic, channels
from vetlla.domain.messages import Channel, Outgoing, ReplyKind
from vetlla.gateways.contracts import OutcomeUnknownError, RefusedError
from vetlla.gateways.sms.twilio import failure_table
from vetlla.simulator.messaging.faults import SmsFaults, Told
from vetlla.simulator.messaging.sms.shapes import ERRORS

if TYPE_CHECKING:
    from vetlla.simulator.messaging.sms.gateway import SmsGateway

REMINDER = Outgoing(
    reference="out:01J",
    phone=PHONE,
    text="Ajuntament de Lleida: teniu cita 1/12 a les 10.30 h a l'OMAC. Responeu SÍ o ANUL·LAR.",
    useful_s=3_600,
)


async def refused(rig: Channels, message: Outgoing) -> str:
    with pytest.raises(RefusedError) as raised:
        await rig.sms_gateway.send(message)
    return raised.value.code


async def asked(gateway: SmsGateway, path: str) -> tuple[int, Any]:
    account = gateway.account
    async with (
        aiohttp.ClientSession(headers=basic(account.sid, account.token)) as client,
        client.get(f"{gateway.url}/2010-04-01/Accounts/{path}") as answer,
    ):
        return answer.status, await answer.json()


async def test_an_sms_reaches_the_telephone_and_is_reported_with_our_reference() -> None:
    async with channels() as rig:
        accepted = await rig.sms_gateway.send(REMINDER)
        _, before = await asked(rig.sms, f"{rig.sms.account.sid}/Messages/{accepted.provider_id}.json")
        assert (before["status"], before["num_segments"], before["date_sent"]) == ("queued", "2", None)
        await rig.book.settle()
        (bubble,) = rig.phone.thread
        assert (bubble.channel, bubble.text) == (Channel.SMS, REMINDER.text)
        assert rig.states() == ["sent", "delivered"]
        assert {(one.provider_id, one.reference, one.phone) for one in rig.reports} == {
            (accepted.provider_id, "out:01J", PHONE)
        }
        _, after = await asked(rig.sms, f"{rig.sms.account.sid}/Messages.json")
        assert [one["status"] for one in after["messages"]] == ["delivered"]


async def test_a_reply_comes_with_its_letters_and_a_reading_is_not_told() -> None:
    async with channels() as rig:
        rig.book.look_at(rig.phone)
        await rig.sms_gateway.send(REMINDER)
        await rig.book.settle()
        written = rig.sms.reply(rig.phone, "Anul·leu-la & gràcies 👍")
        await rig.book.settle()
        (reply,) = rig.replies
        assert (reply.kind, reply.text, reply.phone) == (ReplyKind.TEXT, "Anul·leu-la & gràcies 👍", PHONE)
        assert reply.provider_id == written.id
        assert rig.states() == ["sent", "delivered"]


async def test_a_telephone_that_stays_off_or_does_not_exist_is_told_later() -> None:
    async with channels() as rig:
        rig.book.switch(rig.phone, is_on=False)
        rig.book.phone("+34600000002").exists = False
        for phone in (PHONE, "+34600000002", "+34973000001"):
            await rig.sms_gateway.send(replace(REMINDER, phone=phone))
        await rig.book.settle()
        assert rig.states() == ["sent", "failed 30005", "failed 30006"]
        await rig.later(3_600)
        assert rig.states()[3:] == ["failed 30003"]
        rig.book.switch(rig.phone, is_on=True)
        assert rig.phone.thread == []


@pytest.mark.parametrize("code", sorted(ERRORS))
async def test_each_of_the_gateways_codes_can_be_had(code: int) -> None:
    async with channels(sms=SmsFaults(code=code, told=Told.AT_ONCE, left=1)) as rig:
        assert await refused(rig, REMINDER) == str(code)
        assert failure_table().rule(str(code)).codes != "*"
        rig.sms.faults = SmsFaults(code=code, told=Told.LATER)
        await rig.sms_gateway.send(REMINDER)
        await rig.book.settle()
        assert rig.states() == [f"failed {code}"]
        assert rig.reports[0].detail == ERRORS[code].message


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "600000001"}, 21211),
        ({"From": ""}, 21603),
        ({"From": "+34600000098"}, 21606),
        ({"From": "", "MessagingServiceSid": "MG2"}, 20404),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1_601}, 21617),
    ],
)
async def test_a_form_that_the_gateway_would_refuse_is_refused_with_its_code(form: dict[str, str], code: int) -> None:
    async with channels() as rig, aiohttp.ClientSession() as client:
        account = rig.sms.account
        url = f"{rig.sms.url}/2010-04-01/Accounts/{account.sid}/Messages.json"
        whole = {"To": PHONE, "From": account.number, "Body": "x", **form}
        async with client.post(url, data=whole, headers=basic(account.sid, account.token)) as answer:
            error = await answer.json()
        assert (error["code"], error["status"]) == (code, answer.status)


async def test_a_wrong_token_or_account_is_refused() -> None:
    async with channels() as rig, aiohttp.ClientSession() as client:
        account = rig.sms.account
        url = f"{rig.sms.url}/2010-04-01/Accounts/{account.sid}/Messages.json"
        async with client.post(url, headers=basic(account.sid, "wrong")) as answer:
            assert (answer.status, (await answer.json())["code"]) == (401, 20003)
        assert (await asked(rig.sms, "AC2/Messages.json"))[0] == 404
        assert (await asked(rig.sms, f"{account.sid}/Messages/SM0.json"))[0] == 404


async def test_a_gateway_that_keeps_its_own_list_refuses_people_who_sent_stop() -> None:
    async with channels(sms=SmsFaults(keeps_stops=True)) as rig:
        rig.sms.reply(rig.phone, "Stop")
        assert await refused(rig, REMINDER) == "21610"
        rig.sms.reply(rig.phone, "START")
        await rig.sms_gateway.send(REMINDER)
        await rig.book.settle()
        assert [one.text for one in rig.replies] == ["Stop", "START"]


async def test_a_refused_callback_is_not_called_again_and_a_dead_one_once() -> None:
    async with channels() as rig:
        rig.broken = 1
        rig.sms.reply(rig.phone, "Sí")
        await rig.later(3_600)
        assert rig.replies == []
        rig.sms.incoming_url = "http://127.0.0.1:1/sms"
        rig.sms.reply(rig.phone, "Sí")
        await rig.later(3_600)
        details = [one.detail for one in rig.happened if one.what == "webhook"]
        assert details == ["503, attempt 1", "no answer, attempt 1", "no answer, attempt 2"]


async def test_the_way_to_the_gateway_breaks_and_its_calls_are_repeated_as_told() -> None:
    async with channels(sms=SmsFaults(silent_after=True, left=1)) as rig:
        with pytest.raises(OutcomeUnknownError):
            await rig.sms_gateway.send(REMINDER)
        rig.sms.faults = SmsFaults(repeats=2, out_of_order=True)
        await rig.book.settle()
        assert rig.states() == ["delivered"] * 3 + ["sent"] * 3
        rig.sms.faults = SmsFaults(status=503)
        assert await refused(rig, REMINDER) == "HTTP-503"
