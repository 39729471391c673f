"""What the simulated Cloud API does with messages, through the project's own gateway and endpoint."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from tests.rigs.messaging import NOW, PHONE, REMINDER, TEMPLATE, WORDS, channels
from vetlla.domain.errors import LinkError
from vetlla.domain.messages import Delivery, Outgoing, ReplyKind
from vetlla.gateways.contracts import OutcomeUnknownError, RefusedError
from vetlla.gateways.received import NoticeKind
from vetlla.gateways.whatsapp.errors import failure_table
from vetlla.simulator.messaging.faults import Told, WhatsAppFaults
from vetlla.simulator.messaging.whatsapp.errors import ERRORS


async def refused(rig: Any, message: Outgoing) -> str:  # noqa: ANN401 - the channels
    with pytest.raises(RefusedError) as raised:
        await rig.whatsapp_gateway.send(message)
    return raised.value.code


async def test_a_template_reaches_the_telephone_with_its_values_and_buttons() -> None:
    async with channels() as rig:
        accepted = await rig.whatsapp_gateway.send(REMINDER)
        await rig.book.settle()
        (bubble,) = rig.phone.thread
        assert bubble.text.startswith("Ajuntament de Lleida. Teniu cita dimarts 1 de desembre a les 10.30 h, a l'OMAC.")
        assert [one.label for one in bubble.buttons] == ["Sí, vindré", "Anul·lar la cita"]
        assert rig.states() == ["sent", "delivered"]
        (first, _) = rig.reports
        assert (first.provider_id, first.reference, first.phone, first.at) == (
            accepted.provider_id, "out:01J", PHONE, NOW,
        )  # fmt: skip
        assert (first.person, first.category, first.is_billable) == (rig.phone.person, "utility", True)


async def test_a_person_who_looks_at_the_telephone_reads_it() -> None:
    async with channels() as rig:
        await rig.whatsapp_gateway.send(REMINDER)
        await rig.book.settle()
        rig.book.look_at(rig.phone)
        await rig.whatsapp_gateway.send(REMINDER)
        await rig.book.settle()
        assert rig.states() == ["sent", "delivered", "read", "sent", "delivered", "read"]


async def test_a_button_and_words_come_back_with_what_they_answer() -> None:
    async with channels() as rig:
        accepted = await rig.whatsapp_gateway.send(REMINDER)
        await rig.book.settle()
        rig.cloud.citizens.press(rig.phone, rig.phone.thread[0], 1)
        rig.cloud.citizens.reply(rig.phone, "Gràcies, «maca» 👍", context=accepted.provider_id)
        rig.cloud.citizens.react(rig.phone, rig.phone.thread[0], "👍")
        rig.cloud.citizens.speak(rig.phone)
        await rig.book.settle()
        pressed, written, liked, spoken = rig.replies
        assert (pressed.kind, pressed.text, pressed.payload) == (ReplyKind.BUTTON, "Anul·lar la cita", "v1.X.token")
        assert (written.kind, written.text) == (ReplyKind.TEXT, "Gràcies, «maca» 👍")
        assert (liked.kind, liked.text) == (ReplyKind.REACTION, "👍")
        assert (spoken.kind, spoken.context) == (ReplyKind.OTHER, "")
        assert {one.context for one in (pressed, written, liked)} == {accepted.provider_id}
        assert {(one.phone, one.person) for one in rig.replies} == {(PHONE, rig.phone.person)}
        assert len({one.provider_id for one in rig.replies}) == 4
        assert rig.unread == []


async def test_free_words_are_delivered_within_24_hours_of_a_citizens_message_only() -> None:
    async with channels() as rig:
        await rig.whatsapp_gateway.send(WORDS)
        await rig.book.settle()
        assert rig.states() == ["failed 131047"]
        rig.cloud.citizens.reply(rig.phone, "Hola")
        await rig.later(24 * 3600 - 1)
        await rig.whatsapp_gateway.send(WORDS)
        await rig.book.settle()
        assert rig.states()[1:] == ["sent", "delivered"]
        assert rig.reports[-1].category == "service"
        await rig.later(1)
        rig.cloud.faults.told = Told.AT_ONCE
        assert await refused(rig, WORDS) == "131047"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"template": "cita_que_no_existeix"}, "132001"),
        ({"language": "es"}, "132001"),
        ({"parameters": ("un",)}, "132000"),
        ({"parameters": ()}, "132000"),
        ({"parameters": ("x" * 900, "y" * 900)}, "132005"),
        ({"buttons": ("a", "b", "c")}, "132012"),
        ({"template": "", "text": "x" * 5000}, "100"),
        ({"reference": "x" * 600}, "100"),
    ],
)
async def test_a_message_that_meta_would_refuse_is_refused_with_its_code(change: dict[str, Any], code: str) -> None:
    async with channels() as rig:
        assert await refused(rig, replace(REMINDER, **change)) == code
        await rig.book.settle()
        assert rig.taken == []


async def test_a_telephone_without_whatsapp_or_that_does_not_exist_is_told_later() -> None:
    async with channels() as rig:
        rig.phone.has_whatsapp = False
        rig.book.phone("+34600000002").exists = False
        for phone in (PHONE, "+34600000002"):
            await rig.whatsapp_gateway.send(replace(REMINDER, phone=phone))
        await rig.book.settle()
        assert rig.states() == ["failed 131026"] * 2
        assert "undeliverable" in rig.reports[0].detail


async def test_a_telephone_that_is_off_gets_its_message_when_it_is_on_and_not_after_its_time() -> None:
    async with channels() as rig:
        rig.book.switch(rig.phone, is_on=False)
        await rig.whatsapp_gateway.send(REMINDER)
        await rig.later(3600)
        assert rig.states() == ["sent"]
        rig.book.switch(rig.phone, is_on=True)
        await rig.book.settle()
        assert rig.states() == ["sent", "delivered"]
        rig.book.switch(rig.phone, is_on=False)
        await rig.whatsapp_gateway.send(REMINDER)
        await rig.book.settle()
        await rig.later(43_200)
        rig.book.switch(rig.phone, is_on=True)
        await rig.book.settle()
        assert rig.states() == ["sent", "delivered", "sent"], "Meta tells nothing when the time ends"
        assert len(rig.phone.thread) == 1


async def test_a_person_who_hides_the_number_is_named_by_an_id_everywhere() -> None:
    async with channels() as rig:
        rig.phone.hides_number = True
        accepted = await rig.whatsapp_gateway.send(replace(REMINDER, phone="", person=rig.phone.person))
        assert accepted.person == rig.phone.person
        await rig.book.settle()
        rig.cloud.citizens.reply(rig.phone, "Sí")
        await rig.book.settle()
        assert {(one.phone, one.person) for one in rig.reports} == {("", rig.phone.person)}
        assert [(one.phone, one.person) for one in rig.replies] == [("", rig.phone.person)]
        assert PHONE.removeprefix("+").encode() not in b"".join(rig.bodies)


async def test_an_id_in_the_place_of_a_number_is_taken_and_dropped_in_silence() -> None:
    async with channels() as rig:
        meta = rig.cloud.account
        body = {"messaging_product": "whatsapp", "to": rig.phone.person, "type": "text", "text": {"body": "Hola"}}
        url = f"{rig.cloud.url}/v26.0/{meta.phone_number_id}/messages"
        headers = {"Authorization": f"Bearer {meta.token}"}
        async with aiohttp.ClientSession(headers=headers) as client, client.post(url, json=body) as answer:
            assert answer.status == 200
        await rig.book.settle()
        assert (rig.taken, rig.phone.thread) == ([], [])


@pytest.mark.parametrize("code", sorted(ERRORS))
async def test_each_of_metas_codes_can_be_had_and_has_a_row_in_our_table(code: int) -> None:
    async with channels(whatsapp=WhatsAppFaults(code=code, told=Told.AT_ONCE, left=1)) as rig:
        assert await refused(rig, REMINDER) == str(code)
        assert failure_table().rule(str(code)).codes != "*"
        rig.cloud.faults = WhatsAppFaults(code=code, told=Told.LATER)
        await rig.whatsapp_gateway.send(REMINDER)
        await rig.book.settle()
        assert rig.states() == [f"failed {code}"]


async def test_more_messages_a_second_than_the_number_may_send_are_refused() -> None:
    async with channels(whatsapp=WhatsAppFaults(per_second=2)) as rig:
        for number in (1, 2):
            await rig.whatsapp_gateway.send(replace(REMINDER, phone=f"+3460000000{number}"))
        assert await refused(rig, replace(REMINDER, phone="+34600000003")) == "130429"
        await rig.later(1)
        await rig.whatsapp_gateway.send(REMINDER)
        rig.cloud.faults.pair_s = 6
        await rig.later(5)
        assert await refused(rig, REMINDER) == "131056"
        await rig.later(1)
        await rig.whatsapp_gateway.send(REMINDER)


async def test_a_wrong_token_and_a_wrong_number_are_metas_errors() -> None:
    async with channels() as rig, aiohttp.ClientSession() as client:
        meta = rig.cloud.account
        for number, token, status, code in (
            (meta.phone_number_id, "wrong", 401, 190),
            ("1", meta.token, 400, 100),
        ):
            url = f"{rig.cloud.url}/v26.0/{number}/messages"
            async with client.post(url, json={}, headers={"Authorization": f"Bearer {token}"}) as answer:
                assert answer.status == status
                assert (await answer.json())["error"]["code"] == code


async def test_the_way_to_meta_breaks_as_it_is_told() -> None:
    async with channels(whatsapp=WhatsAppFaults(cut_after=True, left=1)) as rig:
        with pytest.raises(OutcomeUnknownError):
            await rig.whatsapp_gateway.send(REMINDER)
        await rig.book.settle()
        assert rig.states() == ["sent", "delivered"], "the message went out all the same"
        rig.cloud.faults = WhatsAppFaults(cut_before=True)
        with pytest.raises(LinkError):
            await rig.whatsapp_gateway.send(REMINDER)
        rig.cloud.faults = WhatsAppFaults(status=503)
        with pytest.raises(OutcomeUnknownError):
            await rig.whatsapp_gateway.send(REMINDER)
        rig.cloud.faults = WhatsAppFaults(held=True)
        assert (await rig.whatsapp_gateway.send(REMINDER)).held
        await rig.book.settle()
        assert len(rig.phone.thread) == 1


# --- the webhook ------------------------------------------------------------------------------------------------------


async def test_a_delivery_that_is_not_taken_comes_again_after_longer_and_longer_waits() -> None:
    async with channels() as rig:
        rig.broken = 3
        rig.cloud.citizens.reply(rig.phone, "Sí")
        waits = []
        for _ in range(40):
            await rig.later(1)
            waits.append(len([one for one in rig.happened if one.what == "webhook"]))
        assert [one.text for one in rig.replies] == ["Sí"]
        assert [waits.index(number) + 1 for number in (1, 2, 3, 4)] == [1, 6, 16, 36]


async def test_deliveries_are_repeated_and_come_out_of_order_and_together_if_wanted() -> None:
    async with channels(whatsapp=WhatsAppFaults(repeats=1, out_of_order=True)) as rig:
        rig.book.look_at(rig.phone)
        await rig.whatsapp_gateway.send(REMINDER)
        await rig.book.settle()
        assert rig.states() == ["read", "read", "delivered", "delivered", "sent", "sent"]
        rig.cloud.faults = WhatsAppFaults(together=True, skips_delivered=True)
        rig.taken.clear()
        await rig.whatsapp_gateway.send(REMINDER)
        await rig.book.settle()
        assert (len(rig.taken), rig.states()) == (1, ["sent", "read"])
        rig.cloud.faults = WhatsAppFaults(no_reports=True)
        await rig.whatsapp_gateway.send(REMINDER)
        await rig.book.settle()
        assert len(rig.taken) == 1


async def test_the_bytes_have_metas_escapes_so_that_json_written_again_is_not_signed() -> None:
    async with channels() as rig:
        rig.cloud.citizens.reply(rig.phone, "anul·lar https://x.example/a")
        await rig.book.settle()
        (body,) = rig.bodies
        assert rb"anul\u00b7lar https:\/\/x.example\/a" in body
        assert json.dumps(json.loads(body), separators=(",", ":")).encode() != body


async def test_an_address_that_does_not_know_the_word_is_not_taken() -> None:
    async with channels() as rig:
        url = rig.cloud.callback_url
        rig.cloud.callback_url = ""
        assert not await rig.cloud.subscribe(f"{url}/other")
        assert not await rig.cloud.subscribe("http://127.0.0.1:1/")
        rig.cloud.citizens.reply(rig.phone, "Sí")
        await rig.book.settle()
        assert rig.taken == []
        rig.cloud.keep_visiting(url)
        await rig.book.settle()
        assert rig.cloud.callback_url == url


# --- templates --------------------------------------------------------------------------------------------------------


async def test_templates_are_listed_page_by_page_submitted_and_reviewed() -> None:
    async with channels() as rig, aiohttp.ClientSession() as client:
        meta = rig.cloud.account
        url = f"{rig.cloud.url}/v26.0/{meta.business_id}/message_templates"
        client.headers["Authorization"] = f"Bearer {meta.token}"
        for number in range(120):
            document = {**TEMPLATE, "name": f"cita_{number}"}
            async with client.post(url, json=document) as answer:
                assert (await answer.json())["status"] == "PENDING"
        async with client.post(url, json=TEMPLATE) as answer:
            assert answer.status == 400
        found = await rig.whatsapp_gateway.templates()
        assert len(found) == 121
        assert (found[0].name, found[0].status, found[0].useful_s) == ("cita_recordatori_v1", "APPROVED", 43_200)
        assert await refused(rig, replace(REMINDER, template="cita_7")) == "132001"
        switch = f"{rig.cloud.url}/simulator/templates/cita_7/ca"
        for status, code in (("APPROVED", ""), ("PAUSED", "132015"), ("DISABLED", "132016"), ("REJECTED", "132001")):
            async with client.patch(switch, json={"status": status, "reason": "NONE"}) as answer:
                assert (await answer.json())["status"] == status
            if code:
                assert await refused(rig, replace(REMINDER, template="cita_7")) == code
            else:
                await rig.whatsapp_gateway.send(replace(REMINDER, template="cita_7"))
        async with client.patch(switch, json={"status": "LOST"}) as answer:
            assert answer.status == 400
        await rig.book.settle()
        events = [(one.event, one.template) for one in rig.notices if one.kind is NoticeKind.TEMPLATE]
        assert events == [(word, "cita_7") for word in ("APPROVED", "PAUSED", "DISABLED", "REJECTED")]
        assert rig.reports[-1].delivery is Delivery.DELIVERED
