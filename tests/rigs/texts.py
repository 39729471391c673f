"""Texts, offices and appointments for the tests of reminders."""

from __future__ import annotations

from typing import Any

from vetlla.service.reminders.texts.offices import Directory, directory_of
from vetlla.service.reminders.texts.text import Text

OMAC: dict[str, Any] = {
    "id": "OMAC",
    "name": "OMAC",
    "telephone": "010",
    "help_telephone": "012",
    "ca": {
        "where": "a l'OMAC",
        "address": "plaça Major, 1",
        "booking": "https://cita.example.cat",
        "support": "biblioteques",
    },
    "es": {
        "where": "en la OMAC",
        "address": "plaza Mayor, 1",
        "booking": "https://cita.example.cat/es",
        "support": "bibliotecas",
    },
}
OGAT: dict[str, Any] = {**OMAC, "id": "OGAT", "name": "OGAT", "ca": {**OMAC["ca"], "where": "a l'OGAT"}}
REGISTER: dict[str, Any] = {
    "id": "padro",
    "naming": "named",
    "ca": {"name": "alta al padró", "documents": "el DNI", "online": "https://example.cat/padro"},
    "es": {"name": "alta en el padrón", "documents": "el DNI", "online": "https://example.cat/es/padron"},
}
TAXES: dict[str, Any] = {
    "id": "impostos",
    "naming": "named",
    "ca": {"name": "impostos"},
    "es": {"name": "impuestos"},
}
SOCIAL: dict[str, Any] = {
    "id": "socials",
    "ca": {"name": "serveis socials", "documents": "el certificat"},
    "es": {"name": "servicios sociales", "documents": "el certificado"},
}


def directory(*services: dict[str, Any]) -> Directory:
    """Return both offices with these procedures, or with all."""
    return directory_of({"office": [OMAC, OGAT], "service": list(services) or [REGISTER, TAXES, SOCIAL]})


def text(said: str = "Cita {quan} a {oficina} avui.", **keys: Any) -> Text:  # noqa: ANN401 - the keys of a text
    """Return a text: by default a reminder in Catalan by SMS, to which nothing but the words is given."""
    given = {"name": "reminder", "channel": "sms", "language": "ca", "version": 1, "text": said}
    return Text.model_validate(given | keys)
