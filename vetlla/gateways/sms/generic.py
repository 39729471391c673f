"""SMS by an HTTP gateway that the settings describe: its address, its fields, its words.

Two shapes cover what Spanish providers and Kannel offer: a GET with everything in the query, and a POST of JSON or of a
form. Reports and replies come as GET, form or JSON to an address of ours that has a token in its query.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.failures import FailureTable, failure_table_of
from vetlla.domain.messages import Accepted, Channel
from vetlla.domain.segments import Encoding, encoding_of
from vetlla.gateways.contracts import OutcomeUnknownError, RefusedError
from vetlla.gateways.sms.numbers import recipient
from vetlla.gateways.sms.places import PLACES, at_path, filled, places_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.messages import Outgoing
    from vetlla.gateways.http import Answer, HttpCaller

_SECONDS_OF_A_MINUTE: Final = 60


class Method(StrEnum):
    """How a message is handed over."""

    GET_QUERY = "GET-query"
    POST_FORM = "POST-form"
    POST_JSON = "POST-JSON"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRule:
    """Where the answer has the message's id, and what says that it was accepted."""

    id_path: str = ""
    """Such as ``messages.0.id``; "" if the gateway gives no id, then our reference is the id."""
    status_path: str = ""
    """"" if the HTTP status says all."""
    pattern: str = ""
    """Instead of paths, for an answer that is text: an expression with the groups ``id`` and ``status``."""
    accepted: frozenset[str] = frozenset()
    """Statuses that mean "accepted"; empty if each success of HTTP means that."""
    refused_http: frozenset[int] = frozenset()
    """HTTP statuses of 500 and above with which the gateway certainly did not take the message, such as 503."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSmsAccount:
    """A gateway, as its manual describes it."""

    url: str
    method: Method
    fields: Mapping[str, Any]
    """Fields of the query or form, or the JSON; with places such as ``{to}`` and ``{text}``."""
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """More places for ``fields`` and ``headers``, such as ``{api_key}``, from outside the file of settings."""
    user: str = ""
    """For HTTP Basic; "" for none."""
    password: str = field(default="", repr=False)
    sender: str = ""
    codings: Mapping[Encoding, str] = field(default_factory=lambda: {Encoding.GSM_7: "0", Encoding.UCS_2: "2"})
    """The gateway's word for each alphabet, for the place ``{coding}``. These are Kannel's."""
    answer: AnswerRule = AnswerRule()

    def __post_init__(self) -> None:
        """Raise ValueError for a place that is unknown, or an expression that is none."""
        used = {*places_in(self.fields), *places_in(self.headers)}
        unknown = sorted(used - PLACES - set(self.secrets))
        if unknown:
            known = ", ".join(sorted(PLACES | set(self.secrets)))
            raise ValueError(f"unknown places: {', '.join(unknown)}; known are {known}")
        if "text" not in used or not used & {"to", "to_digits"}:
            raise ValueError("the fields need the places {text} and {to} or {to_digits}")
        try:
            re.compile(self.answer.pattern)
        except re.error as error:
            raise ValueError(f"answer pattern: {error}") from None


class HttpSmsGateway:
    """The channel SMS by the gateway that the settings describe."""

    channel = Channel.SMS

    def __init__(self, name: str, account: HttpSmsAccount, http: HttpCaller) -> None:
        self.name = name
        self._account = account
        self._http = http

    async def send(self, message: Outgoing) -> Accepted:
        """Send a text; the gateway cuts it into parts.

        Raises RefusedError with the gateway's word, OutcomeUnknownError, or LinkError if nothing was sent.
        """
        account = self._account
        values = self._values(message)
        fields = filled(account.fields, values)
        texts = {name: str(value) for name, value in fields.items()}
        answer = await self._http.call(
            "GET" if account.method is Method.GET_QUERY else "POST",
            account.url,
            headers=filled(account.headers, values),
            query=texts if account.method is Method.GET_QUERY else None,
            form=texts if account.method is Method.POST_FORM else None,
            body=fields if account.method is Method.POST_JSON else None,
            user=(account.user, account.password) if account.user else None,
        )
        return accepted_of(answer, account.answer, message.reference)

    def _values(self, message: Outgoing) -> dict[str, str | int]:
        if not message.text:
            raise RefusedError("an SMS needs a text")
        account = self._account
        phone = recipient(message.phone)
        return {
            **account.secrets,
            "to": phone,
            "to_digits": phone.removeprefix("+"),
            "from": account.sender,
            "text": message.text,
            "reference": message.reference,
            "useful_s": message.useful_s,
            "useful_min": -(-message.useful_s // _SECONDS_OF_A_MINUTE),
            "coding": account.codings.get(encoding_of(message.text), ""),
        }


def accepted_of(answer: Answer, rule: AnswerRule, reference: str) -> Accepted:
    """Return what the gateway accepted.

    Raises RefusedError with the gateway's status, or with ``HTTP-403`` and the like. Raises OutcomeUnknownError if a
    server failed, or if an answer has no status where the rule wants one.
    """
    provider_id, status = _told(answer, rule)
    is_success = 200 <= answer.status < 300
    if status and status not in rule.accepted and (rule.accepted or not is_success):
        raise RefusedError(
            f"the SMS gateway refused the message: status {status[:40]}",
            code=status,
            retry_after_s=answer.retry_after_s,
        )
    if answer.status >= 500 and answer.status not in rule.refused_http:
        raise OutcomeUnknownError(f"the SMS gateway answered HTTP {answer.status}")
    if not is_success:
        raise RefusedError(
            f"the SMS gateway refused the message: HTTP {answer.status}",
            code=f"HTTP-{answer.status}",
            retry_after_s=answer.retry_after_s,
        )
    if rule.accepted and not status:
        raise OutcomeUnknownError("the SMS gateway answered without the status that its settings name")
    if (rule.id_path or "(?P<id>" in rule.pattern) and not provider_id:
        raise OutcomeUnknownError("the SMS gateway answered without the id that its settings name")
    return Accepted(provider_id or reference)


def _told(answer: Answer, rule: AnswerRule) -> tuple[str, str]:
    """Return id and status of an answer; "" for one that it does not have."""
    if rule.pattern:
        found = re.search(rule.pattern, answer.text)
        groups = found.groupdict() if found else {}
        return groups.get("id") or "", groups.get("status") or ""
    document = answer.json()
    return at_path(document, rule.id_path), at_path(document, rule.status_path)


def failure_table() -> FailureTable:
    """Return the table that is installed: ``generic_errors.csv`` beside this file, with HTTP's own codes only."""
    return failure_table_of(files(__package__).joinpath("generic_errors.csv").read_text(encoding="utf-8"))
