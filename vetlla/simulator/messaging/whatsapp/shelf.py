"""The list of templates, their submission, and the switch by which Meta's reviewers decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from vetlla.simulator.messaging.whatsapp.errors import RefusedCall, no_such_object
from vetlla.simulator.messaging.whatsapp.templates import submitted
from vetlla.simulator.messaging.whatsapp.webhook import template_change
from vetlla.simulator.web.bodies import body_of, text_of
from vetlla.simulator.web.switches import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vetlla.simulator.messaging.whatsapp.state import CloudState
    from vetlla.simulator.messaging.whatsapp.templates import MetaTemplate

FIRST_ID: Final = 594425479261596
"""Id of the first template; the next ones follow it."""
STATUSES: Final = ("APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED")
MOST_TEMPLATES: Final = 250
"""Templates that an account may have."""
PAGE: Final = 25
"""Templates of a page, if the caller wants no other number."""


class TemplateShelf:
    """The templates of an account."""

    def __init__(self, state: CloudState) -> None:
        self._state = state

    def routes(self, version: str) -> Iterable[web.RouteDef]:
        """Yield its routes."""
        yield web.get(f"{version}/{{object}}", self.number)
        yield web.get(f"{version}/{{object}}/message_templates", self.list)
        yield web.post(f"{version}/{{object}}/message_templates", self.submit)
        yield web.patch(f"{ROOT}/templates/{{name}}/{{language}}", self.review)

    def keep(self, document: Mapping[str, Any], status: str) -> MetaTemplate:
        """Keep a template as Meta's API takes it. Raises RefusedCall."""
        template = submitted(document, str(FIRST_ID + len(self._state.templates)))
        template.status = status
        self._state.templates[template.name, template.language] = template
        return template

    async def number(self, request: web.Request) -> web.Response:
        """Show the city's number, with the quality that Meta sees in it."""
        account = self._state.account
        if request.match_info["object"] != account.phone_number_id:
            return no_such_object(request.match_info["object"])
        shown = {
            "display_phone_number": account.number,
            "quality_rating": account.quality,
            "status": "CONNECTED",
            "id": account.phone_number_id,
        }
        fields = request.query.get("fields", "").split(",")
        return web.json_response({name: value for name, value in shown.items() if name in {*fields, "id"}})

    async def list(self, request: web.Request) -> web.Response:
        """Show a page of the templates."""
        if request.match_info["object"] != self._state.account.business_id:
            return no_such_object(request.match_info["object"])
        query = request.query
        found = [one for one in self._state.templates.values() if _is_wanted(one, query)]
        first, limit = _number(query.get("after", ""), 0), _number(query.get("limit", ""), PAGE) or PAGE
        page, end = found[first : first + limit], first + limit
        fields = query.get("fields", "name,parameter_format,components,language,status,category").split(",")
        answer: dict[str, Any] = {
            "data": [one.shown(fields) for one in page],
            "paging": {"cursors": {"before": str(first), "after": str(end)}},
        }
        if query.get("summary"):
            answer["summary"] = {
                "total_count": len(found),
                "message_template_count": len(self._state.templates),
                "message_template_limit": MOST_TEMPLATES,
                "are_translations_complete": True,
            }
        if end < len(found):
            answer["paging"]["next"] = str(request.url.update_query(after=str(end)))
        return web.json_response(answer)

    async def submit(self, request: web.Request) -> web.Response:
        """Take a new template, which Meta's reviewers have not seen yet."""
        if request.match_info["object"] != self._state.account.business_id:
            return no_such_object(request.match_info["object"])
        document = await body_of(request)
        if (document.get("name"), document.get("language")) in self._state.templates:
            raise RefusedCall(100, "There is already content in this language for this template.")
        made = self.keep(document, "PENDING")
        return web.json_response({"id": made.id, "status": made.status, "category": made.category})

    async def review(self, request: web.Request) -> web.Response:
        """Decide about a template, as Meta does: ``status`` and ``reason``. The webhook tells it."""
        template = self._state.templates.get((request.match_info["name"], request.match_info["language"]))
        body = await body_of(request)
        status = text_of(body, "status").upper()
        if template is None or status not in STATUSES:
            raise web.HTTPBadRequest(text=f"name a template that exists, and a status of {', '.join(STATUSES)}")
        template.status, template.reason = status, text_of(body, "reason") or "NONE"
        self._state.callback.tell(
            template_change(template.id, template.name, template.language, status, template.reason)
        )
        return web.json_response(template.shown(("name", "language", "status", "rejected_reason")))


def _is_wanted(template: MetaTemplate, query: Mapping[str, str]) -> bool:
    pairs = (("status", template.status), ("language", template.language), ("category", template.category))
    return query.get("name", "") in template.name and all(query.get(name, value) == value for name, value in pairs)


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() else otherwise
