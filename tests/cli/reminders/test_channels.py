"""``vetlla reminders channels``: a stopped channel is seen, and used again when a person says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.messages import Channel
from vetlla.service.reminders.circuit import Circuit
from vetlla.store.reminders import audit, channels
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    from tests.cli.conftest import Vetlla
    from tests.rigs.reminders_desk import DeskWorld


def test_a_stopped_channel_is_shown_and_resumed_once(vetlla: Vetlla, desk: DeskWorld) -> None:
    with atomic(desk.db):
        channels.put_circuit(desk.db, Channel.WHATSAPP, Circuit().stopped("190"))
    rows = {one["channel"]: one for one in vetlla("reminders", "channels", "list", "--json").json}
    assert (rows["whatsapp"]["state"], rows["whatsapp"]["why"]) == ("stopped", "190")
    assert rows["sms"]["state"] == "in use"
    assert "stopped" in vetlla("reminders", "channels", "list").out
    assert vetlla("reminders", "channels", "resume", "whatsapp", "--json").json[0]["resumed"] is True
    assert vetlla("reminders", "channels", "resume", "whatsapp").out == "whatsapp was in use\n"
    assert [one.action for one in audit.records(desk.db)][-1] == "channel_resumed"


def test_a_template_that_was_refused_is_used_again_with_its_channel(vetlla: Vetlla, desk: DeskWorld) -> None:
    with atomic(desk.db):
        channels.template_unusable(desk.db, "cita_recordatori_v1", "ca", "132015", desk.now)
    assert vetlla("reminders", "channels", "resume", "sms").out == "sms was in use\n"
    assert vetlla("reminders", "channels", "resume", "whatsapp").out == "whatsapp is in use again\n"
    assert channels.unusable_templates(desk.db) == set()
