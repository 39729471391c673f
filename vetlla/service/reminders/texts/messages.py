"""The message for an appointment: its text chosen and filled in, in one call for the code that sends or answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vetlla.domain.errors import ConfigError
from vetlla.service.reminders.texts.catalogue import Wanted
from vetlla.service.reminders.texts.rendering import list_values, office_values, render, values_of
from vetlla.service.reminders.texts.text import SenderKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vetlla.domain.appointments import Appointment
    from vetlla.domain.messages import Channel
    from vetlla.service.reminders.texts.catalogue import Catalogue
    from vetlla.service.reminders.texts.dates import Language
    from vetlla.service.reminders.texts.names import TextName
    from vetlla.service.reminders.texts.offices import Directory
    from vetlla.service.reminders.texts.rendering import Rendered, Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Makes the messages of one installation. Every method raises ConfigError if there is no text or no value.

    Each returns None if the office switched the text off.
    """

    catalogue: Catalogue
    directory: Directory
    sender: SenderKind = SenderKind.NUMBER
    """What SMS come from."""

    def about(self, appointment: Appointment, name: TextName, channel: Channel, language: Language) -> Rendered | None:
        """Return a message about one appointment."""
        services = [service.id for service in appointment.services]
        wanted = Wanted(
            name,
            channel,
            language,
            appointment.office,
            services[0] if len(services) == 1 else "",
            self.directory.may_name(services),
            self.sender,
        )
        return self._made(wanted, lambda spoken: values_of(appointment, self.directory, spoken))

    def about_several(
        self, appointments: Sequence[Appointment], name: TextName, channel: Channel, language: Language
    ) -> Rendered | None:
        """Return a message about several appointments, which are numbered in their order from 1."""
        offices = {appointment.office for appointment in appointments}
        wanted = Wanted(name, channel, language, offices.pop() if len(offices) == 1 else "", sender=self.sender)
        return self._made(wanted, lambda spoken: list_values(appointments, self.directory, spoken))

    def about_none(self, name: TextName, channel: Channel, language: Language, office: str = "") -> Rendered | None:
        """Return a message that is about no appointment; without an office, the first one's contact is given."""
        known = self.directory.offices.get(office) or next(iter(self.directory.offices.values()), None)
        if known is None:
            raise ConfigError("the texts have no office", remedy="add an [[office]] to offices.toml")
        wanted = Wanted(name, channel, language, office, sender=self.sender)
        return self._made(wanted, lambda spoken: office_values(known, spoken))

    def _made(self, wanted: Wanted, values: Callable[[Language], Values]) -> Rendered | None:
        """Return the chosen text with values of its own language, which may be Catalan instead of Spanish."""
        found = values(wanted.language)
        text = self.catalogue.choose(wanted, found)
        if text is None:
            return None
        return render(text, found if text.language == wanted.language else values(text.language))
