"""What to do when a provider refuses a message, or reports that it was not delivered: words of the tables of codes."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class FailureAction(StrEnum):
    """What follows from a failure. Where it says "SMS", the same content goes by SMS if that is still useful."""

    SMS = "sms"
    """SMS now; the other channel is not tried again for this message."""
    SMS_NO_WHATSAPP = "sms_no_whatsapp"
    """SMS now, and no WhatsApp to this telephone for 30 days."""
    SMS_ALERT = "sms_alert"
    """SMS now, and an engineer looks at it: a text, a parameter or a kind of message is wrong."""
    TEMPLATE = "template"
    """Send it again as a template, because the window for free messages is closed; then SMS."""
    TO_PHONE = "to_phone"
    """Send it again to the telephone number instead of the provider's id of the person; then SMS."""
    BACK_OFF = "back_off"
    """Send it again later, each time after a longer wait; SMS if the time in which it is useful nears its end."""
    PAIR_WAIT = "pair_wait"
    """As ``BACK_OFF``, with the waits that the provider demands between two messages to one person."""
    OPEN_CIRCUIT = "open_circuit"
    """SMS for all messages until a person closes the circuit, and an alert."""
    STOP_CHANNEL = "stop_channel"
    """As ``OPEN_CIRCUIT``: the access itself is refused (token, permission)."""
    TEMPLATE_UNUSABLE = "template_unusable"
    """SMS for all messages of this template until it is approved again, and an alert."""
    CONFIGURATION = "configuration"
    """No SMS: the fault is in the settings of a trial, such as a number outside the test list. An alert."""
    ALERT = "alert"
    """Neither try again nor SMS: the request is wrong. An alert."""
    DEAD_NUMBER = "dead_number"
    """The number does not exist or can take no SMS: neither try again nor SMS, now or later."""
    OPTED_OUT = "opted_out"
    """The person opted out at the provider: as an opt-out of this channel."""
    NONE = "none"
    """Nothing can be done: the telephone was not reached in time. The next message goes as usual."""


class FailureRule(NamedTuple):
    """One row of a channel's table of codes."""

    codes: str
    """As the table has them, separated by spaces: ``131026``, ``200-299``, ``HTTP-500-599``, ``*`` for all others."""
    meaning: str
    action: FailureAction


OTHER: Final = "*"
"""Stands for every code that no other row has."""
_RANGE: Final = re.compile(r"(?P<prefix>\D*)(?P<first>[0-9]+)-(?P<last>[0-9]+)", re.ASCII)
_NUMBERED: Final = re.compile(r"(?P<prefix>\D*)(?P<number>[0-9]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class FailureTable:
    """What the codes of a channel mean."""

    exact: Mapping[str, FailureRule]
    ranges: tuple[tuple[str, range, FailureRule], ...]
    """Prefix and numbers of consecutive codes."""
    other: FailureRule

    def rule(self, code: str) -> FailureRule:
        """Return the row of a code, or of the codes that it is one of, or of all other codes."""
        if code in self.exact:
            return self.exact[code]
        found = _NUMBERED.fullmatch(code)
        if found is None:
            return self.other
        number = int(found["number"])
        rows = (rule for prefix, codes, rule in self.ranges if prefix == found["prefix"] and number in codes)
        return next(rows, self.other)

    def action(self, code: str) -> FailureAction:
        """Return what follows from a code."""
        return self.rule(code).action

    def rules(self) -> list[FailureRule]:
        """Return all rows, each once."""
        return [*dict.fromkeys(self.exact.values()), *(rule for _, _, rule in self.ranges), self.other]


def failure_table_of(text: str) -> FailureTable:
    """Return the table of a CSV file: ``codes,meaning,action``, codes separated by spaces.

    Raises ValueError, with the line, if a line cannot be used, a code has two rows, or ``*`` is missing.
    """
    exact: dict[str, FailureRule] = {}
    ranges: list[tuple[str, range, FailureRule]] = []
    reader = csv.DictReader(io.StringIO(text))
    for row in reader:
        rule = _rule(row, reader.line_num)
        for code in rule.codes.split():
            if found := _RANGE.fullmatch(code):
                ranges.append((found["prefix"], range(int(found["first"]), int(found["last"]) + 1), rule))
            elif code in exact or (code[0].isdigit() and "-" in code):
                why = "has a row already" if code in exact else "is neither a code nor a range of codes"
                raise ValueError(f"line {reader.line_num}: code {code} {why}")
            else:
                exact[code] = rule
    other = exact.pop(OTHER, None)
    if other is None:
        raise ValueError(f'the row "{OTHER}" for all other codes is missing')
    return FailureTable(exact, tuple(ranges), other)


def _rule(row: Mapping[str, str | None], line: int) -> FailureRule:
    try:
        return FailureRule(row["codes"] or "", row["meaning"] or "", FailureAction(row["action"] or ""))
    except (KeyError, ValueError) as error:
        raise ValueError(f"line {line}: {error}") from None
