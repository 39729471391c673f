"""What Meta says of an account: its number, and its templates, each approved or paused for one language by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class NumberState(NamedTuple):
    """How Meta rates the city's number."""

    quality: str
    """``GREEN``, ``YELLOW``, ``RED``; ``UNKNOWN`` or "" if Meta does not say."""
    status: str
    """``CONNECTED``, ``FLAGGED``, ``RESTRICTED`` and others; "" if Meta does not say."""


class TemplateState(NamedTuple):
    """One template in one language."""

    name: str
    language: str
    status: str
    """Meta's word: ``APPROVED``, ``PENDING``, ``REJECTED``, ``PAUSED``, ``DISABLED``."""
    category: str
    """What it is billed as: ``UTILITY``, ``MARKETING``, ``AUTHENTICATION``."""
    useful_s: int | None
    """Seconds for which Meta tries to deliver it; None if the template does not say, which means 30 days."""
    reason: str
    """Why it was rejected; "" if it was not."""


def templates_of(page: Mapping[str, Any]) -> list[TemplateState]:
    """Return the templates of one page of Meta's list; an entry without a name is left out."""
    found = []
    for one in page["data"]:
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            continue
        seconds = one.get("message_send_ttl_seconds")
        reason = one.get("rejected_reason")
        found.append(
            TemplateState(
                name=one["name"],
                language=str(one.get("language", "")),
                status=str(one.get("status", "")),
                category=str(one.get("category", "")),
                useful_s=int(str(seconds)) if str(seconds).isdigit() else None,
                reason=reason if isinstance(reason, str) and reason != "NONE" else "",
            )
        )
    return found


def next_page(page: Mapping[str, Any]) -> str:
    """Return the cursor of the next page; "" at the end of the list."""
    paging = page.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return ""
    cursors = paging.get("cursors")
    return str(cursors.get("after", "")) if isinstance(cursors, dict) else ""
