"""Settings of ``[whatsapp]`` and ``[sms]``. docs/reminders-channels.md explains what each provider needs."""

from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from vetlla.domain.messages import Delivery
from vetlla.domain.segments import Encoding
from vetlla.settings.reminders.fields import LIST_MAX, Rate
from vetlla.settings.section import MOST, AbsolutePath, Host, Secret, Section, Url, Word

Text: TypeAlias = Annotated[str, Field(max_length=1_000)]
Fields: TypeAlias = Annotated[dict[str, Any], Field(max_length=LIST_MAX)]


LanguageCodes: TypeAlias = dict[Literal["ca", "es"], Word]


def _same_codes() -> LanguageCodes:
    return {"ca": "ca", "es": "es"}


class WhatsApp(Section):
    """The city's number at Meta."""

    phone_number_id: Word
    business_id: Word
    """Id of the WhatsApp Business Account, by which ``doctor`` looks at the templates."""
    token_file: Secret
    """Token of a system user."""
    app_secret_file: Secret
    """Secret of the app, with which Meta signs its webhooks."""
    verify_token_file: Secret
    """Word that Meta sends when the webhook is registered."""
    base_url: Url = "https://graph.facebook.com"
    version: Annotated[str, Field(pattern=r"^v[0-9]{1,3}\.[0-9]{1,3}$")] = "v26.0"
    languages: LanguageCodes = Field(default_factory=_same_codes)
    """The code under which the templates of each language were approved."""
    conversations_in_24h: Annotated[int, Field(ge=1, le=MOST)] = 250
    """How many people the account may write to first in 24 hours."""
    per_second: Rate = 20
    errors_file: AbsolutePath | None = None
    """A table of Meta's codes instead of the one that comes with the program."""


ALIAS_MAX = 11
"""Most characters of a name as sender (3GPP TS 23.040, 9.1.2.5: seven-bit characters in ten octets)."""


def _sender(text: str) -> str:
    is_number = text.removeprefix("+").isdigit()
    if not is_number and len(text) > ALIAS_MAX:
        raise ValueError(f"should be a number, or a name of at most {ALIAS_MAX} characters")
    return text


Sender: TypeAlias = Annotated[str, Field(max_length=1_000), AfterValidator(_sender)]


class _Sms(Section):
    sender_registered_on: date | None = None
    """Since when the name that SMS come from is in the register of the CNMC; a number needs no registration."""
    per_second: Rate = 10
    errors_file: AbsolutePath | None = None


class TwilioSms(_Sms):
    """A gateway of Twilio's shape."""

    kind: Literal["twilio"]
    account: Word
    token_file: Secret
    sender: Sender = ""
    """The number that citizens see and answer."""
    service: Text = ""
    """``MessagingServiceSid``, instead of a sender."""
    base_url: Url = "https://api.twilio.com"

    @model_validator(mode="after")
    def _sender_or_service(self) -> "TwilioSms":
        if bool(self.sender) == bool(self.service):
            raise ValueError("needs a sender or a service, and not both")
        return self


class AnswerFields(Section):
    """Where the answer of a gateway has the message's id, and what says that it was accepted."""

    id_path: Text = ""
    status_path: Text = ""
    pattern: Text = ""
    accepted: Annotated[tuple[Text, ...], Field(max_length=LIST_MAX)] = ()
    refused_http: Annotated[tuple[Annotated[int, Field(ge=500, le=599)], ...], Field(max_length=100)] = ()


class ReportFields(Section):
    """Where a report of a gateway has its values."""

    items_path: Text = ""
    id_path: Text = ""
    reference_path: Text = "reference"
    status_path: Text = "status"
    code_path: Text = ""
    detail_path: Text = ""
    statuses: Annotated[dict[str, Delivery], Field(max_length=LIST_MAX)] = Field(default_factory=dict)


class ReplyFields(Section):
    """Where a reply that a gateway brings has its values."""

    items_path: Text = ""
    sender_path: Text = "from"
    text_path: Text = "text"
    id_path: Text = "id"
    time_path: Text = ""


class HttpSms(_Sms):
    """A gateway that these settings describe."""

    kind: Literal["http"]
    url: Url
    method: Literal["GET-query", "POST-form", "POST-JSON"]
    fields_: Fields = Field(alias="fields")
    headers: Annotated[dict[str, Text], Field(max_length=100)] = Field(default_factory=dict)
    secret_files: Annotated[dict[str, Secret], Field(max_length=100)] = Field(default_factory=dict)
    """More places for ``fields`` and ``headers``, such as ``{api_key}``."""
    user: Text = ""
    password_file: Secret | None = None
    sender: Sender = ""
    codings: dict[Encoding, Text] = Field(default_factory=lambda: {Encoding.GSM_7: "0", Encoding.UCS_2: "2"})
    answer: AnswerFields = AnswerFields()
    webhook_token_file: Secret
    """Token in the address of reports and replies, because such gateways sign nothing."""
    report: ReportFields = ReportFields()
    reply: ReplyFields = ReplyFields()


class SmppSms(_Sms):
    """An operator's SMSC."""

    kind: Literal["smpp"]
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = 2775
    user: Annotated[str, Field(max_length=15)]
    password_file: Secret
    sender: Sender
    system_type: Annotated[str, Field(max_length=12)] = ""
    tls: bool = False
    alphabet: Literal["gsm7", "latin1"] = "gsm7"
    long_text: Literal["parts", "payload"] = "parts"
    answer_ids: Literal["same", "hex", "decimal"] = "same"
    receipt_ids: Literal["same", "hex", "decimal"] = "same"


Sms: TypeAlias = Annotated[TwilioSms | HttpSms | SmppSms, Field(discriminator="kind")]
