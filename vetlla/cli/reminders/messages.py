"""``vetlla reminders list`` and ``show``: messages of the outbox, and the life of one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.moments import Utc, as_day, moment
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.cli.reminders.database import CLOCK, Phones, database, now, phone_shown, shown_time, stamp
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, StateDir
from vetlla.domain.clock import to_datetime
from vetlla.domain.errors import UsageError
from vetlla.domain.messages import MessageState
from vetlla.service.reminders.lateness import is_overdue
from vetlla.store.reminders import looking

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.store.reminders.looking import ListedMessage, MessageLife

COLUMNS = ("overdue", "number", "state", "channel", "reason", "office", "appointment", "start", "due", "phone")


def list_messages(
    *,
    office: Annotated[str, typer.Option("--office", metavar="ID", help="Messages of this office.")] = "",
    state: Annotated[MessageState | None, typer.Option("--state", help="Messages in this state.")] = None,
    day: Annotated[
        date | None,
        typer.Option("--day", parser=as_day, metavar="YYYY-MM-DD", help="About appointments on this day."),
    ] = None,
    unconfirmed: Annotated[
        bool, typer.Option("--unconfirmed", help="Only while the citizen is expected and has not confirmed.")
    ] = False,
    limit: Limit = None,
    phones: Phones = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """List the messages to citizens: state, channel, reason, appointment and time, those of the nearest hour first.

    OVERDUE marks a message that the service should have sent, or of which it should have heard, by now.

    Example: vetlla reminders list --day 2026-11-24 --unconfirmed
    """
    first, end = (None, None) if day is None else (_midnight(day), _midnight(day + timedelta(days=1)))
    with database(state_dir) as db:
        found = looking.listed(db, office=office, state=state, first=first, end=end, unconfirmed=unconfirmed)
        rows = (_row(one, phones=phones, as_json=as_json) for one in found)
        print_some(rows, COLUMNS, limit, as_json=as_json)


def _midnight(day: date) -> datetime:
    return to_datetime(moment(day.isoformat(), CLOCK.now().utc_us))


def _row(one: ListedMessage, *, phones: bool, as_json: bool) -> dict[str, Any]:
    message = one.message
    plan = message.plan
    overdue = is_overdue(message, now())
    channel = message.sent_by or plan.channel
    when = stamp if as_json else shown_time
    return {
        "number": message.id,
        "reference": message.reference,
        "kind": plan.kind.value,
        "step": plan.key.step,
        "attempt": plan.key.attempt,
        "state": message.state.value,
        "reason": message.reason or None,
        "channel": channel.value if channel else None,
        "office": plan.office,
        "appointment": "/".join(plan.key.appointment) if plan.key.appointment.id else None,
        "start": when(plan.key.start),
        "due": when(plan.due),
        "phone": phone_shown(plan.phone, whole=phones),
        "confirmed": one.is_confirmed,
        "overdue": overdue if as_json else "OVERDUE" if overdue else "",
    }


def show_message(
    name: Annotated[str, typer.Argument(metavar="REFERENCE|NUMBER", help="Number in the list, or our reference.")],
    *,
    text: Annotated[bool, typer.Option("--text", help="Show also the words of the message and of replies.")] = False,
    phones: Phones = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Show a message with its whole life: times, attempts, reports of its delivery, replies to it.

    Example: vetlla reminders show 17
    """
    with database(state_dir) as db:
        life = looking.life(db, name)
    if life is None:
        raise UsageError(f"there is no message {name!r}", remedy="vetlla reminders list")
    fields = _life(life, text=text, phones=phones, as_json=as_json)
    if as_json:
        print_json(fields)
        return
    out = console()
    for label, value in fields.items():
        if isinstance(value, list):
            for one in value:
                said = "  ".join(f"{key} {part}" for key, part in one.items() if part not in {None, ""})
                out.print(f"{label:<20}{said}", soft_wrap=True)
        elif value not in {None, ""}:
            out.print(f"{label:<20}{_word(value)}", soft_wrap=True)


def _word(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else " / ".join(str(value).splitlines())


def _life(life: MessageLife, *, text: bool, phones: bool, as_json: bool) -> dict[str, Any]:
    message, when = life.listed.message, stamp if as_json else shown_time
    plan = message.plan
    fields = _row(life.listed, phones=phones, as_json=as_json) | {
        "only_channel": plan.channel.value if plan.channel else None,
        "language": plan.language or None,
        "gateway": life.gateway or None,
        "provider_id": message.provider_id or None,
        "template": life.template or None,
        "segments": life.segments,
        "code": message.code or None,
        "detail": life.detail or None,
        "tries": message.tries,
        "opens_conversation": life.opens,
        "category": life.category or None,
        "billable": life.is_billable,
        "planned": when(message.planned_at),
        "useful_until": when(plan.useful_until),
        "sending": when(message.sending_at),
        "accepted": when(message.accepted_at),
        "sent": when(life.sent_at),
        "delivered": when(life.delivered_at),
        "read": when(life.read_at),
        "failed": when(life.failed_at),
        "fallback": when(message.fallback_at),
        "attempts": [{"attempt": attempt, "number": number} for attempt, number in life.attempts],
        "reports": [
            {
                "delivery": one.delivery.value,
                "at": when(one.at),
                "received": when(one.received_at),
                "code": one.code or None,
                "detail": one.detail or None,
            }
            for one in life.reports
        ],
        "replies": [
            {
                "reply": one.id,
                "received": when(one.received_at),
                "channel": one.channel.value,
                "kind": one.kind.value,
                "intent": one.intent or None,
                "outcome": one.outcome or None,
            }
            | ({"text": one.text} if text else {})
            for one in life.replies
        ],
    }
    return fields | ({"text": plan.text} if text else {})
