"""The named places of a text, a closed list: ``{hora}`` in a text is replaced by the hour of the appointment.

A text has places and nothing else: no conditions and no loops, so that an office can edit it without a programmer.
Where a sentence depends on a fact, there are two texts.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class Place(StrEnum):
    """A place that a text may have. Its name is Catalan in both languages, because the offices write the texts."""

    DIA = "dia"
    """The day: "dimarts 24 de novembre", "martes 24 de noviembre"."""
    DIA_CURT = "dia_curt"
    """The same, short: "dimarts 24/11"."""
    HORA = "hora"
    """The hour in the office's zone: "10.30 h" in Catalan, "10:30 h" in Spanish."""
    QUAN = "quan"
    """Day and hour: "dimarts 24 de novembre a les 10.30 h"."""
    QUAN_CURT = "quan_curt"
    """The same, short: "dimarts 24/11 a les 10.30 h"."""
    OFICINA = "oficina"
    """Name of the office: "OMAC"."""
    LLOC = "lloc"
    """The office with preposition and article: "a l'OMAC", "en la OMAC"."""
    ADRECA = "adreca"
    """Address of the office."""
    TELEFON = "telefon"
    """Telephone of the office."""
    ENLLAC = "enllac"
    """Where a citizen books an appointment."""
    TRAMIT = "tramit"
    """Name of the procedure. Only a text with ``procedure = true`` may have it."""
    DOCUMENTS = "documents"
    """What to bring. It tells the procedure, so only a text with ``procedure = true`` may have it."""
    ENLLAC_TRAMIT = "enllac_tramit"
    """Where the procedure is done online. It tells the procedure, too."""
    PUNTS = "punts"
    """Where people find digital support."""
    TELEFON_AJUDA = "telefon_ajuda"
    """Telephone that helps with procedures."""
    LLISTA = "llista"
    """Several appointments with their numbers, one on each line. A WhatsApp template cannot have it."""


TELLING: Final = frozenset({Place.TRAMIT, Place.DOCUMENTS, Place.ENLLAC_TRAMIT})
"""Places whose value tells what the appointment is for, and so can tell something about the citizen."""
PATTERN: Final = re.compile(r"\{([^{}\n]*)\}")
"""Matches a place in a text; its group is the name."""


def names_in(text: str) -> list[str]:
    """Return the names of the places of a text, each once, in the order of the text."""
    return list(dict.fromkeys(PATTERN.findall(text)))
