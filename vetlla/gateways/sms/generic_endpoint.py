"""The address to which a gateway that the settings describe sends reports and replies.

Such gateways sign nothing, so the address has a token in its query: ``.../report?token=...&reference=...``.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from aiohttp import web

from vetlla.domain.masking import masked
from vetlla.domain.messages import Channel, Delivery, DeliveryReport, IncomingReply
from vetlla.gateways.hooks import body_of, fields_of, keep
from vetlla.gateways.received import Received, Unread
from vetlla.gateways.sms.numbers import sender
from vetlla.gateways.sms.places import at_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from vetlla.gateways.received import Take

TOKEN: Final = "token"  # noqa: S105 - the name of a field
"""Name of the token in the query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRule:
    """Where a report has its values: names of fields, or paths such as ``result.state``."""

    items_path: str = ""
    """Where the list of reports is, if one call brings several; the paths below are then of one of them."""
    id_path: str = ""
    """"" if the report has our reference only."""
    reference_path: str = "reference"
    status_path: str = "status"
    code_path: str = ""
    detail_path: str = ""
    statuses: Mapping[str, Delivery] = field(default_factory=dict)
    """What each of the gateway's statuses means. Kannel's: 1 delivered, 2 failed, 4 and 8 sent, 16 failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRule:
    """Where a reply has its values."""

    items_path: str = ""
    """Where the list of replies is, if one call brings several."""
    sender_path: str = "from"
    text_path: str = "text"
    id_path: str = "id"
    time_path: str = ""
    """A part of what tells a repetition from another reply, if the gateway gives no id."""


def reports_of(values: Any, rule: ReportRule, received_at: datetime) -> Received:  # noqa: ANN401 - any JSON
    """Return the reports of a call. One that names no message, or a status that is not known, is kept as unread."""
    reports: list[DeliveryReport] = []
    unread: list[Unread] = []
    for where, one in _items(values, rule.items_path):
        reference = at_path(one, rule.reference_path)
        provider_id = at_path(one, rule.id_path) or reference
        delivery = rule.statuses.get(at_path(one, rule.status_path))
        if not provider_id or delivery is None:
            reason = "the report names no message" if not provider_id else "the status is not one of the settings"
            unread.append(Unread(where, reason, json.dumps(one, ensure_ascii=False)))
            continue
        reports.append(
            DeliveryReport(
                provider_id=provider_id,
                delivery=delivery,
                at=received_at,
                reference=reference,
                code=at_path(one, rule.code_path),
                detail=masked(at_path(one, rule.detail_path)),
            )
        )
    return Received(reports=tuple(reports), unread=tuple(unread))


def replies_of(values: Any, rule: ReplyRule, received_at: datetime) -> Received:  # noqa: ANN401 - any JSON
    """Return the replies of a call. One of a sender that cannot be answered is kept as unread.

    A reply without an id gets one of its sender, text and time, so that a repetition has the same.
    """
    replies: list[IncomingReply] = []
    unread: list[Unread] = []
    for where, one in _items(values, rule.items_path):
        phone, text = sender(at_path(one, rule.sender_path)), at_path(one, rule.text_path)
        if not phone:
            unread.append(Unread(where, "the sender cannot be answered", json.dumps(one, ensure_ascii=False)))
            continue
        time = at_path(one, rule.time_path) or received_at.isoformat()
        made = sha256(f"{phone}\0{text}\0{time}".encode("utf-8", "replace")).hexdigest()[:32]
        replies.append(
            IncomingReply(
                provider_id=at_path(one, rule.id_path) or f"made:{made}",
                channel=Channel.SMS,
                at=received_at,
                phone=phone,
                text=text,
            )
        )
    return Received(replies=tuple(replies), unread=tuple(unread))


def _items(values: Any, path: str) -> list[tuple[str, Any]]:  # noqa: ANN401 - any JSON
    """Return what a call brings, each with its place. A call without the list of the rule is one item."""
    found = values
    for name in path.split(".") if path else ():
        found = found.get(name) if isinstance(found, dict) else None
    if isinstance(found, list) and found:
        return [(f"{path}[{number}]", one) for number, one in enumerate(found)]
    return [("", values)]


class HttpSmsEndpoint:
    """Takes reports at ``PATH/report`` and replies at ``PATH/reply`` from a caller that knows the token."""

    def __init__(
        self,
        *,
        token: str,
        now: Callable[[], datetime],
        take: Take,
        report: ReportRule,
        reply: ReplyRule | None = None,
    ) -> None:
        """Raise ValueError for an empty token, which everyone knows."""
        if not token:
            raise ValueError("the reports of the SMS gateway need a token in their address")
        self._token = token
        self._now = now
        self._take = take
        self._report = report
        self._reply = reply or ReplyRule()

    def routes(self, path: str) -> list[web.RouteDef]:
        """Return the handlers below a path."""
        return [
            web.get(f"{path}/report", self._take_report, allow_head=False),
            web.post(f"{path}/report", self._take_report),
            web.get(f"{path}/reply", self._take_reply, allow_head=False),
            web.post(f"{path}/reply", self._take_reply),
        ]

    async def _take_report(self, request: web.Request) -> web.Response:
        raw, values = await self._opened(request)
        return await keep(self._take, raw, reports_of(values, self._report, self._now()))

    async def _take_reply(self, request: web.Request) -> web.Response:
        raw, values = await self._opened(request)
        return await keep(self._take, raw, replies_of(values, self._reply, self._now()))

    async def _opened(self, request: web.Request) -> tuple[bytes, Any]:
        """Return what came, without the token, as bytes and as values. Raises HTTPForbidden without the token."""
        given = request.query.get(TOKEN, "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._token.encode()):
            raise web.HTTPForbidden
        query = [(name, value) for name, value in request.query.items() if name != TOKEN]
        body = await body_of(request)
        if request.content_type == "application/json":
            return body, _json(body, dict(query))
        return (body or urlencode(query).encode()), dict(query) | dict(fields_of(body))


def _json(body: bytes, query: dict[str, str]) -> Any:  # noqa: ANN401 - whatever a gateway writes
    """Return the JSON, with the fields of the query where it has none of that name.

    Bytes that are none are a field of their own, so that they are kept.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return query | {"not JSON": body.decode("utf-8", "replace")}
    return query | document if isinstance(document, dict) else document
