"""``vetlla reminders simulate-channels``: WhatsApp, an SMS gateway and telephones that exist only on this machine."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvloop

from vetlla.cli.kit.moments import duration, time_of_day
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.reminders.faults import faults_of
from vetlla.domain.clock import to_us
from vetlla.domain.errors import UsageError
from vetlla.simulator.messaging.faults import SmsFaults, WhatsAppFaults
from vetlla.simulator.web.way import LOOPBACK
from vetlla.tasks.reminders.texts import load_texts

if TYPE_CHECKING:
    from vetlla.simulator.messaging.phones import ChannelEvent
    from vetlla.simulator.messaging.sms.gateway import SmsGateway
    from vetlla.simulator.messaging.whatsapp.cloud import WhatsAppCloud


def simulate_channels(
    *,
    host: Annotated[
        str, typer.Option(help=f"Address to listen on. Any other than {LOOPBACK} lets other machines in.")
    ] = LOOPBACK,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of WhatsApp; 0 picks a free one.")] = 0,
    sms_port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the SMS gateway, likewise.")] = 0,
    callback: Annotated[
        str, typer.Option(metavar="URL", help="The webhook of WhatsApp; it is visited until it answers rightly.")
    ] = "",
    sms_callback: Annotated[str, typer.Option(metavar="URL", help="Where citizens' SMS are told.")] = "",
    phone: Annotated[
        bool, typer.Option("--phone", help="Show a citizen's telephone to answer on, and not what happens.")
    ] = False,
    texts: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Texts whose templates Meta has approved.  [default: as installed]"),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="How WhatsApp misbehaves, such as code=131026; may be repeated."),
    ] = None,
    sms_fault: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="How the SMS gateway misbehaves, likewise.")
    ] = None,
    lasts: Annotated[float, duration("--for", help="End after this time, instead of at Ctrl-C.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Answer as WhatsApp and an SMS gateway would, and show what happens with each message, until Ctrl-C.

    Telephones are made when they get their first message. With --phone one of them is in your hand: type an answer, the
    number of a button, or /help; the end of the input ends the command. Without it each thing that happens is a line.
    Faults can be changed while it runs, at /simulator/faults: docs/reminders-channels.md lists them. Nothing is stored.

    Example: vetlla reminders simulate-channels --callback http://127.0.0.1:8080/whatsapp --phone
    """
    if phone and as_json:
        raise UsageError("--phone shows a telephone to a person, and --json is for programs", remedy="choose one")
    # The other commands of the group do not wait for the servers of HTTP.
    from vetlla.simulator.messaging.clock import MovableClock  # noqa: PLC0415 - see above
    from vetlla.simulator.messaging.phones import PhoneBook  # noqa: PLC0415 - see above
    from vetlla.simulator.messaging.sms.gateway import SmsGateway  # noqa: PLC0415 - see above
    from vetlla.simulator.messaging.whatsapp.approved import approved_templates  # noqa: PLC0415 - see above
    from vetlla.simulator.messaging.whatsapp.cloud import WhatsAppCloud  # noqa: PLC0415 - see above

    whatsapp_faults = faults_of(WhatsAppFaults, fault or [])
    sms_faults = faults_of(SmsFaults, sms_fault or [], "--sms-fault")
    templates = approved_templates(load_texts(texts))

    async def run() -> None:
        clock = MovableClock()
        book = PhoneBook(clock)
        async with (
            WhatsAppCloud(book, templates=templates, faults=whatsapp_faults, host=host, port=port) as whatsapp,
            SmsGateway(book, incoming_url=sms_callback, faults=sms_faults, host=host, port=sms_port) as sms,
            book,
        ):
            _print(_described(whatsapp, sms), as_json=as_json)
            heard: asyncio.Queue[ChannelEvent] = asyncio.Queue()
            if not phone:
                book.watch(heard.put_nowait)
            if callback:
                whatsapp.keep_visiting(callback)
            if phone:
                from vetlla.cli.reminders.handset.program import Handset  # noqa: PLC0415 - see above

                await _until_stopped(Handset(book, whatsapp, sms, advance=clock.advance).use(), lasts)
            else:
                await _until_stopped(_tell(heard, as_json=as_json), lasts)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


async def _until_stopped(work: Any, seconds: float) -> None:  # noqa: ANN401 - a coroutine
    """Do the work until it ends, a signal comes, or the time is over. Raises what the work raises."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await asyncio.wait({task}, timeout=seconds or None)
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()


async def _tell(heard: asyncio.Queue[ChannelEvent], *, as_json: bool) -> None:
    shown = console()
    while True:
        one = await heard.get()
        if as_json:
            print_json({**one._asdict(), "at": one.at.isoformat()})
        else:
            words = (time_of_day(to_us(one.at)), f"{one.channel:<8}", f"{one.what:<9}", one.phone, one.detail)
            text = f"  {one.text.replace(chr(10), ' ')}" if one.text else ""
            shown.print(" ".join(word for word in words if word.strip()) + text, soft_wrap=True)


def _described(whatsapp: WhatsAppCloud, sms: SmsGateway) -> dict[str, Any]:
    meta, account = whatsapp.account, sms.account
    return {
        "whatsapp": {
            "url": whatsapp.url,
            "phone_number_id": meta.phone_number_id,
            "business_id": meta.business_id,
            "token": meta.token,
            "app_secret": meta.app_secret,
            "verify_token": meta.verify_token,
            "templates": len(whatsapp.templates),
        },
        "sms": {"url": sms.url, "sid": account.sid, "token": account.token, "sender": account.number},
        "phones": "/simulator/phones",
        "faults": "/simulator/faults",
    }


def _print(described: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(described)
        return
    shown = console()
    whatsapp, sms = described["whatsapp"], described["sms"]
    shown.print(f"WhatsApp listens at {whatsapp['url']} with {whatsapp['templates']} templates", soft_wrap=True)
    for name in ("phone_number_id", "business_id", "token", "app_secret", "verify_token"):
        shown.print(f"  {name:<16} {whatsapp[name]}", soft_wrap=True)
    shown.print(f"The SMS gateway listens at {sms['url']}", soft_wrap=True)
    for name in ("sid", "token", "sender"):
        shown.print(f"  {name:<16} {sms[name]}", soft_wrap=True)
    where = f"{whatsapp['url']}{described['faults']}"
    shown.print(f"faults    curl -X PATCH {where} -d '{{\"code\": 131026}}'", soft_wrap=True)
