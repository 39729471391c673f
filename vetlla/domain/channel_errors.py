"""What a provider's error codes mean and what is done about them: a table, which is data of each channel."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class ErrorAction(StrEnum):
    """What is done about a message that a provider refused, or reported as failed."""

    SMS = "sms"
    """Send the text by SMS now; do not try WhatsApp again within the rule's ``wait_s``."""
    NO_WHATSAPP = "no_whatsapp"
    """Send by SMS now, and remember for ``wait_s`` that this person has no WhatsApp."""
    SMS_IF_NOT_OPTED_OUT = "sms_if_not_opted_out"
    """The person refused a category of messages. Send by SMS if she did not refuse ours, and alert the operator."""
    AS_TEMPLATE = "as_template"
    """The window of 24 hours is closed. Send a template instead of free text, else SMS."""
    TO_PHONE = "to_phone"
    """The person's id was not accepted. Send to her telephone number, else SMS."""
    RETRY = "retry"
    """A fault of the provider that passes. Try again later, then SMS."""
    BACK_OFF = "back_off"
    """Too many messages. Wait ``wait_s`` times ``factor`` to the power of the attempts; SMS if the time gets short."""
    SMS_AND_ALERT = "sms_and_alert"
    """Do not try again. Send the same content by SMS and alert the operator."""
    TEMPLATE_UNUSABLE = "template_unusable"
    """Use this template no longer until it is approved again: all its messages go by SMS. Alert the operator."""
    OPEN_CIRCUIT = "open_circuit"
    """The account may not send. Use the channel no longer: all messages go by SMS. Page a person."""
    STOP_CHANNEL = "stop_channel"
    """The access is wrong or has ended. Stop the channel until it is corrected, send by SMS, alert the operator."""
    CONFIGURATION = "configuration"
    """Our settings are wrong, or this is a test environment. Alert the operator, and send nothing else."""
    ALERT = "alert"
    """The request is wrong. Do not try again; alert the operator."""
    DEAD_NUMBER = "dead_number"
    """The telephone number does not exist or takes no SMS. Do not try again."""
    NONE = "none"
    """Nothing can be done about this message, and nothing is wrong: its time ended before the telephone was found."""
    OPTED_OUT = "opted_out"
    """The person told the provider to stop. Keep it as her opt-out, and do not try again."""


class ErrorRule(NamedTuple):
    """What one code, or some consecutive codes, mean."""

    codes: str
    """As the table has them: ``131026``, ``200-299``, or ``*`` for every code that no other rule has."""
    meaning: str
    action: ErrorAction
    wait_s: int = 0
    """Seconds; what they are for is said at the action."""
    factor: int = 2


ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """The rules of a channel."""

    exact: Mapping[str, ErrorRule]
    ranges: tuple[tuple[range, ErrorRule], ...]
    other: ErrorRule

    def rule(self, code: str) -> ErrorRule:
        """Return the rule of a code; the rule of all other codes if none has it."""
        if code in self.exact:
            return self.exact[code]
        if code.isascii() and code.isdigit():
            number = int(code)
            return next((rule for codes, rule in self.ranges if number in codes), self.other)
        return self.other

    def rules(self) -> list[ErrorRule]:
        """Return all rules, each once."""
        return [*dict.fromkeys(self.exact.values()), *(rule for _, rule in self.ranges), self.other]


def error_table_of(text: str) -> ErrorTable:
    """Return the table of a CSV file: ``codes,meaning,action,wait_s,factor``, codes separated by spaces.

    Raises ValueError, with the line, if a line cannot be used, a code has two rules, or ``*`` is missing.
    """
    exact: dict[str, ErrorRule] = {}
    ranges: list[tuple[range, ErrorRule]] = []
    reader = csv.DictReader(io.StringIO(text))
    for row in reader:
        rule = _rule(row, reader.line_num)
        for code in (row["codes"] or "").split():
            first, _, last = code.partition("-")
            if last and first.isdigit():
                ranges.append((_range(first, last, reader.line_num), rule))
            elif code in exact:
                raise ValueError(f"line {reader.line_num}: code {code} has a rule already")
            else:
                exact[code] = rule
    other = exact.pop(ANY, None)
    if other is None:
        raise ValueError(f'the rule "{ANY}" for all other codes is missing')
    return ErrorTable(exact, tuple(ranges), other)


def _rule(row: Mapping[str, str | None], line: int) -> ErrorRule:
    try:
        return ErrorRule(
            codes=row["codes"] or "",
            meaning=row["meaning"] or "",
            action=ErrorAction(row["action"] or ""),
            wait_s=int(row["wait_s"] or 0),
            factor=int(row["factor"] or 2),
        )
    except (KeyError, ValueError) as error:
        raise ValueError(f"line {line}: {error}") from None


def _range(first: str, last: str, line: int) -> range:
    try:
        return range(int(first), int(last) + 1)
    except ValueError as error:
        raise ValueError(f"line {line}: {error}") from None
