"""Templates as Meta keeps them: each is approved for a language by itself, and its words have numbered variables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from vetlla.simulator.messaging.whatsapp.errors import RefusedCall

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DAYS_30_S: Final = 30 * 86_400
"""Seconds for which Meta tries to deliver a template that says nothing else."""
BODY_MAX: Final = 1_024
"""Most characters of a body with its values."""
_VARIABLE: Final = re.compile(r"\{\{(\d+)\}\}")
_NOT_IN_VALUES: Final = re.compile(r"[\n\t]| {5,}")


@dataclass(slots=True, kw_only=True)
class MetaTemplate:
    """One template in one language."""

    id: str
    name: str
    language: str
    category: str = "UTILITY"
    status: str = "APPROVED"
    """``APPROVED``, ``PENDING``, ``REJECTED``, ``PAUSED``, ``DISABLED``."""
    body: str = ""
    labels: tuple[str, ...] = ()
    """Words of its quick-reply buttons."""
    ttl_s: int = DAYS_30_S
    reason: str = "NONE"
    components: Sequence[Mapping[str, Any]] = field(default=(), repr=False)

    @property
    def variables(self) -> int:
        """How many values its body wants."""
        return len(set(_VARIABLE.findall(self.body)))

    def filled(self, values: Sequence[str]) -> str:
        """Return its words with these values. Raises RefusedCall as Meta does."""
        if len(values) != self.variables:
            details = f"body: number of localizable_params ({len(values)}) does not match the expected number of params"
            raise RefusedCall(132000, f"{details} ({self.variables})")
        if any(_NOT_IN_VALUES.search(value) for value in values):
            raise RefusedCall(100, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
        whole = _VARIABLE.sub(lambda found: values[int(found[1]) - 1], self.body)
        if len(whole) > BODY_MAX:
            raise RefusedCall(132005, f"Translated text too long: {len(whole)} characters")
        return whole

    def shown(self, fields: Iterable[str]) -> dict[str, Any]:
        """Return the fields of Meta's list that a caller asks for."""
        whole: dict[str, Any] = {
            "name": self.name,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "components": list(self.components),
            "rejected_reason": self.reason,
            "parameter_format": "POSITIONAL",
            "id": self.id,
        }
        if self.ttl_s != DAYS_30_S:
            whole["message_send_ttl_seconds"] = self.ttl_s
        wanted = {*fields, "id"}
        return whole if wanted == {"id"} else {name: value for name, value in whole.items() if name in wanted}


def submitted(document: Mapping[str, Any], id_: str) -> MetaTemplate:
    """Return a template as it was submitted. Raises RefusedCall."""
    components = [one for one in _list(document.get("components")) if isinstance(one, dict)]
    body = next((one for one in components if str(one.get("type", "")).upper() == "BODY"), {})
    buttons = [button for one in components for button in _list(one.get("buttons")) if isinstance(button, dict)]
    name, language = document.get("name"), document.get("language")
    if not isinstance(name, str) or not isinstance(language, str) or not isinstance(body.get("text"), str):
        raise RefusedCall(100, "A template needs a name, a language and a body")
    if _VARIABLE.search(body["text"]) and not body.get("example"):
        raise RefusedCall(100, "A component with variables needs an example of them")
    seconds = document.get("message_send_ttl_seconds")
    return MetaTemplate(
        id=id_,
        name=name,
        language=language,
        category=str(document.get("category", "UTILITY")).upper(),
        body=body["text"],
        labels=tuple(str(one.get("text", "")) for one in buttons if str(one.get("type", "")).upper() == "QUICK_REPLY"),
        ttl_s=seconds if isinstance(seconds, int) and seconds > 0 else DAYS_30_S,
        components=components,
    )


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
