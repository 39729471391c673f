"""What a program that reads an event must find in it, and when two findings are the same."""

from __future__ import annotations

from typing import NamedTuple


def number(text: str) -> str:
    """Return a field that counts something without padding; a field of zeros only and an empty field are the same."""
    return text.strip().lstrip("0").upper()


class Found(NamedTuple):
    """One event of a message, in the letters of the frame."""

    receiver: str
    line: str
    account: str
    code: str
    """Contact ID: qualifier E, R or P and three digits; SIA: two letters; others: the one character of the event."""
    area: str
    zone: str
    """Zone, user or channel."""

    def plain(self) -> Found:
        """Return the event in the form in which the judge compares it."""
        return Found(
            number(self.receiver),
            number(self.line),
            self.account.strip().upper(),
            self.code.strip().upper(),
            number(self.area),
            number(self.zone),
        )
