"""``vetlla reminders run`` and ``dispatch``: the service by itself, or one pass of it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.options import AsJson, DryRun
from vetlla.cli.kit.output import console, print_json, tell
from vetlla.cli.reminders.database import CLOCK, Phones, phone_shown, shown_time, stamp
from vetlla.cli.reminders.options import Configuration, OtherStateDir, required_settings
from vetlla.daemon.logs.setup import configure
from vetlla.settings.log import LogLevel

if TYPE_CHECKING:
    from vetlla.worker.reminders.one_pass import Handed, PassResult


def run_service(*, config: Configuration = None, state_dir: OtherStateDir = None) -> None:
    """Run the reminder service in the foreground until SIGTERM or Ctrl-C.

    It polls the offices, sends what is due, answers replies, cancels at the source, and takes the webhooks of the
    providers. It reads its configuration at the start.

    Example: vetlla reminders run --config /etc/vetlla/reminders/reminders.toml
    """
    # The other commands of the group do not wait for HTTP's client and server.
    from vetlla.worker.reminders.daemon import ReminderDaemon  # noqa: PLC0415 - see above

    settings = required_settings(config, state_dir)
    writer = configure(style=settings.log.format, level=settings.log.level)
    try:
        asyncio.run(ReminderDaemon(settings, CLOCK).run_until_signal())
    finally:
        writer.close()


def dispatch_once(
    *,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept", metavar="OFFICE", help="Believe the poll of this office, although it lost many appointments."
        ),
    ] = None,
    dry_run: DryRun = False,
    phones: Phones = False,
    config: Configuration = None,
    state_dir: OtherStateDir = None,
    as_json: AsJson = False,
) -> None:
    """Do one pass and end, for cron: poll each office, handle replies, cancel, and send what is due.

    It may run beside the service: no message is sent twice. Without the service no webhook is taken, so replies and
    reports come only by it. With --dry-run it asks the sources, works on a copy of the database in memory, calls no
    provider, cancels nothing, and shows what it would send.

    Example: vetlla reminders dispatch --dry-run
    """
    from vetlla.worker.reminders.one_pass import one_pass  # noqa: PLC0415 - as in run_service

    settings = required_settings(config, state_dir)
    writer = configure(style=settings.log.format, level=LogLevel.WARNING)
    try:
        done = asyncio.run(one_pass(settings, CLOCK, accept=frozenset(accept or ()), is_rehearsal=dry_run))
    finally:
        writer.close()
    if as_json:
        print_json(_fields(done, dry_run=dry_run, phones=phones))
    else:
        _show(done, dry_run=dry_run, phones=phones)
    if done.failed or done.doubted:
        raise typer.Exit(os.EX_UNAVAILABLE)


def _fields(done: PassResult, *, dry_run: bool, phones: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "polled": done.polled,
        "failed": done.failed,
        "doubted": done.doubted,
        "replies": done.replies,
        "cancellations": done.cancellations,
        "planned": done.planned,
        "messages": [_message(one, phones=phones) for one in done.handed],
    }


def _message(one: Handed, *, phones: bool) -> dict[str, Any]:
    plan, outgoing = one.plan, one.outgoing
    return {
        "kind": plan.kind.value,
        "step": plan.key.step,
        "office": plan.office,
        "start": stamp(plan.key.start),
        "channel": one.channel.value,
        "phone": phone_shown(outgoing.phone, whole=phones),
        "language": outgoing.language,
        "template": outgoing.template or None,
        "text": outgoing.text,
        "fault": one.fault or None,
    }


def _show(done: PassResult, *, dry_run: bool, phones: bool) -> None:
    out = console()
    for one in done.handed:
        start = shown_time(one.plan.key.start)
        fault = f"  NOT SENT: {one.fault}" if one.fault else ""
        phone = phone_shown(one.outgoing.phone, whole=phones) or ""
        out.print(f"{one.plan.office}  {start}  {one.plan.kind}  {one.channel}  {phone}{fault}", soft_wrap=True)
        if dry_run:
            out.print(f"    {one.outgoing.text}", soft_wrap=True)
    word = "would be handed over" if dry_run else "handed over"
    out.print(
        f"{done.polled} offices polled, {done.replies} replies, {done.cancellations} cancellations,"
        f" {len(done.handed)} messages {word}",
        soft_wrap=True,
    )
    for office in done.failed:
        tell(f"office {office}: its source did not answer; its reminders wait", "red")
    for office in done.doubted:
        tell(
            f"office {office}: its poll lost too many appointments to be believed; if it is right:"
            f" vetlla reminders dispatch --accept {office}",
            "red",
        )
