"""All settings of the reminder service, with their defaults and bounds.

Tests compare ``config/reminders/reminders.toml`` and ``docs/reminders-settings.md`` with this model.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from vetlla.domain.messages import Channel
from vetlla.settings.log import LogSettings
from vetlla.settings.reminders.channels import Sms, WhatsApp
from vetlla.settings.reminders.fields import LIST_MAX, Phone
from vetlla.settings.reminders.offices import OfficeSettings, RuleSettings
from vetlla.settings.reminders.sources import Source
from vetlla.settings.section import AbsolutePath, Host, Port, Section, Url, Wait

REMINDERS_STATE_DIR = Path("/var/lib/vetlla-reminders")
RETENTION_DAYS_MAX = 36_525
"""A century."""
PLAN_MOST_S = 600
"""Messages are planned 15 minutes before they are due, and a look takes some seconds."""


class PolicySettings(Section):
    """What the city decided about channels and people."""

    channels: Annotated[tuple[Channel, ...], Field(min_length=1, max_length=2)] = (Channel.WHATSAPP, Channel.SMS)
    """The channels in use, the preferred one first."""
    whatsapp_needs_consent: bool = True
    cancellation_despite_opt_out: bool = True
    """True: a citizen who opted out still hears that the office cancelled."""
    held_back: Annotated[float, Field(ge=0, lt=1)] = 0
    """Share of appointments that get no reminder, to measure what reminders change."""

    @model_validator(mode="after")
    def _each_once(self) -> "PolicySettings":
        if len(set(self.channels)) != len(self.channels):
            raise ValueError("a channel is named twice")
        return self


class WebhookTls(Section):
    """Certificate chain and key of the webhooks, PEM, for a service without a proxy in front."""

    certificate: AbsolutePath
    key: AbsolutePath


class WebhookSettings(Section):
    """Where providers deliver reports and replies."""

    host: Host = "127.0.0.1"
    port: Port = 8095
    public_url: Url = "https://reminders.example.cat"
    """The address as providers call it; a proxy hands it on to ``host`` and ``port``."""
    tls: WebhookTls | None = None


class PaceSettings(Section):
    """How often the parts of the service look for work. A webhook wakes them at once."""

    send_s: Wait = 10
    reply_s: Wait = 10
    plan_s: Annotated[float, Field(ge=1, le=PLAN_MOST_S)] = 300
    """Between two looks at all appointments."""
    retire_s: Wait = 3_600


class KeptDays(Section):
    """How long personal data are kept."""

    days: Annotated[int, Field(ge=1, le=RETENTION_DAYS_MAX)] = 30
    """After the appointment."""
    report_days: Annotated[int, Field(ge=1, le=RETENTION_DAYS_MAX)] = 7
    """Of reports of deliveries, after their receipt; what they say is in the message's row."""


class ReminderSettings(Section):
    """The whole configuration of the reminder service: the top level of the file."""

    state_dir: AbsolutePath = REMINDERS_STATE_DIR
    """Directory of ``reminders.db``, its lock and its keys."""
    keys_file: AbsolutePath | None = None
    """The keys of pseudonyms, as ``vetlla keys`` writes them; STATE_DIR/keys.toml by default."""
    language: Literal["ca", "es"] = "ca"
    """The language of people who have chosen none."""
    texts: AbsolutePath | None = None
    """Folder of the texts; those that come with the program by default."""
    offices_file: AbsolutePath | None = None
    """What the texts tell about offices and procedures."""
    lexicon: AbsolutePath | None = None
    """Folder of the words that citizens reply with."""
    redirect_to: Phone | None = None
    """For a trial: the service treats every appointment as one of this telephone, so that no citizen gets a message."""
    source: Annotated[tuple[Source, ...], Field(max_length=LIST_MAX)] = ()
    office: Annotated[tuple[OfficeSettings, ...], Field(max_length=LIST_MAX)] = ()
    rules: RuleSettings = RuleSettings()
    policy: PolicySettings = PolicySettings()
    whatsapp: WhatsApp | None = None
    sms: Sms | None = None
    webhooks: WebhookSettings = WebhookSettings()
    pace: PaceSettings = PaceSettings()
    retention: KeptDays = KeptDays()
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _names_fit(self) -> "ReminderSettings":
        names = [source.name for source in self.source]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two sources are called {min(twice)}")
        if unknown := {office.source for office in self.office} - set(names):
            raise ValueError(f"an office names the source {min(unknown)}, which is not there")
        # Pauses, texts and rules know an office by its id alone.
        ids = [office.id for office in self.office]
        if again := {office for office in ids if ids.count(office) > 1}:
            raise ValueError(f"two offices have the id {min(again)}")
        return self

    @model_validator(mode="after")
    def _channels_are_set(self) -> "ReminderSettings":
        given = {Channel.WHATSAPP: self.whatsapp, Channel.SMS: self.sms}
        for channel in self.policy.channels if self.office else ():
            if given[channel] is None:
                raise ValueError(f"policy.channels names {channel}, and there is no table [{channel}]")
        return self
