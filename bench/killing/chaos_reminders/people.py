"""What people do meanwhile: the office books, moves and cancels; citizens answer; providers have bad moments."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from http import HTTPMethod
from typing import TYPE_CHECKING, Final

from bench.killing.chaos_reminders.judging import LEAD
from bench.killing.chaos_reminders.seen import Seen, What, shown
from vetlla.domain.clock import to_us
from vetlla.domain.messages import Channel
from vetlla.simulator.messaging.faults import SmsFaults, WhatsAppFaults
from vetlla.simulator.qmatic.faults import OrchestraFaults
from vetlla.simulator.qmatic.world import Status

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from bench.killing.chaos_reminders.town import Town
    from vetlla.simulator.messaging.phones import Bubble, Phone
    from vetlla.simulator.qmatic.world import Booking

ACT_S: Final = (0.05, 0.5)
"""Time between two acts of the office."""
AHEAD_S: Final = (8.0, 40.0)
"""How long after the booking or the move the reminder is due."""
THINK_S: Final = 1.5
"""Longest time from a message to the citizen's answer."""
NUMBERS: Final = [number for number in range(1, 1000) if number != 99]
"""Numbers +34600000001 to +34600000999 are reserved for tests by this project; 99 is the city's."""
WITHOUT_WHATSAPP: Final = 0.25
CANCELS: Final = 0.4
CONFIRMS: Final = 0.4
BY_BUTTON: Final = 0.6
CANCELLING: Final = ("Anul·lar", "ANUL·LAR", "anul·leu la cita", "no puc venir")
CONFIRMING: Final = ("Sí, vindré", "hi seré", "d'acord", "vindré")
"""Catalan: a citizen who writes Spanish gets Spanish texts, and the bench reads only Catalan ones."""
WHATSAPP_FAULTS: Final = (
    WhatsAppFaults(),
    WhatsAppFaults(repeats=2),
    WhatsAppFaults(out_of_order=True),
    WhatsAppFaults(together=True, repeats=1),
    WhatsAppFaults(cut_after=True, left=1),
    WhatsAppFaults(cut_after=True, no_reports=True, left=1),
    WhatsAppFaults(silent_after=True, left=1),
    WhatsAppFaults(status=500, left=1),
    WhatsAppFaults(code=130429, left=2),
    WhatsAppFaults(delay_s=0.3, left=3),
    WhatsAppFaults(delivery_s=2.0),
)
SMS_FAULTS: Final = (
    SmsFaults(),
    SmsFaults(repeats=2),
    SmsFaults(out_of_order=True),
    SmsFaults(cut_after=True, left=1),
    SmsFaults(silent_after=True, left=1),
    SmsFaults(status=500, left=1),
    SmsFaults(code=20429, left=2),
    SmsFaults(delay_s=0.3, left=3),
)
ORCHESTRA_FAULTS: Final = (
    OrchestraFaults(),
    OrchestraFaults(cut_after=True, on=HTTPMethod.DELETE, left=1),
    OrchestraFaults(status=503, on=HTTPMethod.GET, left=1),
    OrchestraFaults(delay_s=0.2, left=3),
    OrchestraFaults(cancelled_stay=True),
)


class People:
    """The office and the citizens of a town."""

    def __init__(self, town: Town, random: Random, ahead_s: tuple[float, float] = AHEAD_S) -> None:
        self._town = town
        self._ahead_s = ahead_s
        self._random = random
        self._numbers = iter(random.sample(NUMBERS, len(NUMBERS)))
        self._bookings: list[Booking] = []
        self.appointments = 0
        """How many may be booked so far: the bench lets the office book some for each kill."""
        town.on_delivered = self._reminded

    async def work(self) -> None:
        """Do one thing after the other until the task is cancelled."""
        while True:
            await asyncio.sleep(self._random.uniform(*ACT_S))
            if len(self._bookings) < min(self.appointments, len(NUMBERS)):
                self._book()
            act = self._random.random()
            if act < 0.1:
                self._move()
            elif act < 0.16:
                self._cancel()
            elif act < 0.4:
                self._break()

    def behave(self) -> None:
        """Let all systems be well again."""
        self._town.cloud.faults, self._town.sms.faults = WhatsAppFaults(), SmsFaults()
        self._town.orchestra.faults = OrchestraFaults()

    # --- the office ---------------------------------------------------------------------------------------------------

    def _start(self) -> datetime:
        at = self._town.now() + LEAD + timedelta(seconds=self._random.uniform(*self._ahead_s))
        return at.replace(microsecond=0)  # as Orchestra writes it

    def _book(self) -> None:
        town, number = self._town, next(self._numbers)
        phone = town.book.phone(f"+34600000{number:03}")
        phone.has_whatsapp = self._random.random() >= WITHOUT_WHATSAPP
        start = self._start()
        booking = town.world.book(
            town.world.branches[0],
            (town.world.services[0],),
            start,
            phone_of_booking=f"600000{number:03}",
            language="ca",
        )
        self._bookings.append(booking)
        town.starts[phone.number] = [to_us(start)]
        town.see(What.BOOKED, phone=phone.number, start_us=to_us(start), id=booking.public_id)

    def _some_booking(self) -> Booking | None:
        """Return an appointment that is not cancelled; often one whose reminder is due about now."""
        live = [one for one in self._bookings if one.status is not Status.CANCELLED]
        due = self._town.now() + LEAD
        near = [one for one in live if abs(one.start - due) < timedelta(seconds=3)]
        some = near if near and self._random.random() < 0.6 else live
        return self._random.choice(some) if some else None

    def _move(self) -> None:
        booking, start = self._some_booking(), self._start()
        if booking is None:
            return
        starts = self._town.starts[f"+34{booking.phone_of_booking}"]
        if shown(to_us(start)) in map(shown, starts):
            return  # messages show minutes, and each must tell its hour
        self._town.world.move(booking, start)
        starts.append(to_us(start))
        self._town.see(What.MOVED, phone=f"+34{booking.phone_of_booking}", start_us=to_us(start))

    def _cancel(self) -> None:
        booking = self._some_booking()
        if booking is None:
            return
        booking.status = Status.CANCELLED
        self._town.world.touch(booking)
        self._town.see(What.CANCELLED, phone=f"+34{booking.phone_of_booking}")

    def _break(self) -> None:
        town = self._town
        match self._random.randrange(5):
            case 0 | 1:
                town.cloud.faults = self._random.choice(WHATSAPP_FAULTS).model_copy()
            case 2 | 3:
                town.sms.faults = self._random.choice(SMS_FAULTS).model_copy()
            case _:
                town.orchestra.faults = self._random.choice(ORCHESTRA_FAULTS).model_copy()

    # --- citizens -----------------------------------------------------------------------------------------------------

    def _reminded(self, reminder: Seen) -> None:
        act = self._random.random()
        if act >= CANCELS + CONFIRMS:
            return
        what = What.CANCELS if act < CANCELS else What.CONFIRMS
        delay_s = self._random.uniform(0, THINK_S)
        asyncio.get_running_loop().call_later(delay_s, self._answer, reminder, what)

    def _answer(self, reminder: Seen, what: What) -> None:
        town, phone = self._town, self._town.book.phone(reminder.phone)
        channel = Channel(reminder.channel)
        message = town.book.message(phone, reminder.id)
        is_button = channel is Channel.WHATSAPP and message is not None and self._random.random() < BY_BUTTON
        if is_button and message is not None:
            written = self._pressed(phone, message, "Anul" if what is What.CANCELS else "Sí")
        else:
            words = self._random.choice(CANCELLING if what is What.CANCELS else CONFIRMING)
            writer = town.cloud.citizens if channel is Channel.WHATSAPP else town.sms
            written = writer.reply(phone, words)
        town.see(
            what,
            phone=phone.number,
            start_us=reminder.start_us,
            channel=channel,
            id=written.id,
            is_button=is_button,
        )

    def _pressed(self, phone: Phone, message: Bubble, label: str) -> Bubble:
        index = next(place for place, one in enumerate(message.buttons) if one.label.startswith(label))
        return self._town.cloud.citizens.press(phone, message, index)
