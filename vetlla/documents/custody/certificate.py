"""The certificate that a key was destroyed (tender 20220428, section 15), on one sheet, to be signed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import TYPE_CHECKING

from vetlla.documents.page import Facts, Page, Paragraph, Section, Signatures
from vetlla.documents.words import NOTHING, words_of

if TYPE_CHECKING:
    from datetime import date, datetime


class PaperLanguage(StrEnum):
    """A language in which papers for homes and the city can be had."""

    CA = "ca"
    ES = "es"
    EN = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destruction:
    """What the certificate says. It has codes, and no names or addresses."""

    key: str
    home: str
    copies: int
    authorisation: str
    ceded: date
    destroyed: datetime
    """Local."""
    by: str
    witness: str
    record: str
    """Numbers of the record: the duty and its event."""


def certificate(told: Destruction, language: PaperLanguage) -> Page:
    """Return the certificate in a language."""
    words = words_of(files("vetlla.documents.custody"), language)
    hour, minute = str(told.destroyed.hour), f"{told.destroyed:%M}"
    rows = [
        ("key", told.key),
        ("home", told.home),
        ("copies", str(told.copies)),
        ("authorisation", told.authorisation),
        ("ceded", words.day(told.ceded)),
        ("destroyed", words.text("moment", day=words.day(told.destroyed.date()), hour=hour, minute=minute)),
        ("by", told.by),
        ("witness", told.witness),
        ("record", told.record),
    ]
    return Page(
        words=words,
        title=words.text("title"),
        lines=(words.text("service"),),
        foot=words.text("foot"),
        parts=(
            (
                "",
                (
                    Section(
                        name="certificate",
                        blocks=(
                            Paragraph(
                                words.text("statement" if told.copies == 1 else "statement_copies", key=told.key)
                            ),
                            Facts(tuple((words.heading(name), value or NOTHING) for name, value in rows)),
                            Signatures((words.text("signature_by"), words.text("signature_witness"))),
                        ),
                    ),
                ),
            ),
        ),
    )
