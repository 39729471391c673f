"""The answers of Orchestra that are no appointments: wrappers and errors, and their dialects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from vetlla.simulator.qmatic.faults import Gone

if TYPE_CHECKING:
    from vetlla.simulator.qmatic.faults import OrchestraFaults


def wrapped(name: str, value: Any, *, total: int | None = None, start: str = "", end: str = "") -> web.Response:  # noqa: ANN401 - any JSON
    """Return a value of the calendar inside its wrapper; ``total`` counts the rows of a list."""
    meta = {
        "start": start,
        "end": end,
        "totalResults": total if total is not None else 1,
        "offset": None,
        "limit": None,
        "fields": "",
        "arguments": {},
    }
    return web.json_response({"meta": meta, name: value, "notifications": []})


def refused(status: int, code: str = "", message: str = "") -> web.Response:
    """Return an error: Orchestra's code and message are headers, and the body says nothing."""
    headers = {name: text for name, text in (("error_code", code), ("error_message", message)) if text}
    return web.Response(status=status, headers=headers)


def gone(faults: OrchestraFaults, code: str = "E142") -> web.Response:
    """Return the answer for an appointment that does not exist."""
    if faults.gone is Gone.PLAIN:
        return refused(404)
    return refused(500, code, "Appointment not found")


def taken(faults: OrchestraFaults) -> web.Response:
    """Return the answer for a slot that is no longer free."""
    return refused(404) if faults.taken == "404" else refused(500, "E440", "Slot is not available")


def used() -> web.Response:
    """Return the answer for an appointment that became a visit."""
    return refused(500, "8058", "Appointment already used by a visit")


LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Orchestra</title></head><body><form action='/login'></form></body></html>"
)


def login_page() -> web.Response:
    """Return the page on which a person would sign in."""
    return web.Response(text=LOGIN_PAGE, content_type="text/html")
