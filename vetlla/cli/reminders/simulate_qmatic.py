"""``vetlla reminders simulate-qmatic``: a Qmatic Orchestra that exists only on this machine."""

from __future__ import annotations

import asyncio
import random
import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvloop

from vetlla.cli.kit.moments import duration
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.reminders.faults import faults_of
from vetlla.simulator.qmatic.faults import OrchestraFaults
from vetlla.simulator.qmatic.world import DAYS, OFFICES_MADE, PER_DAY, invented
from vetlla.simulator.web.way import LOOPBACK

if TYPE_CHECKING:
    from vetlla.simulator.qmatic.server import Orchestra

SEEDS = 1_000_000
"""Bound of random seeds, so that they are short enough to type again."""


def simulate_qmatic(
    *,
    host: Annotated[
        str, typer.Option(help=f"Address to listen on. Any other than {LOOPBACK} lets other machines in.")
    ] = LOOPBACK,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 picks a free one.")] = 0,
    offices: Annotated[int, typer.Option(min=1, max=1_000, help="How many offices.")] = OFFICES_MADE,
    per_day: Annotated[
        int, typer.Option(min=0, max=1_000, help="Appointments of each office on a working day.")
    ] = PER_DAY,
    days: Annotated[int, typer.Option(min=0, max=366, help="Days from tomorrow that have appointments.")] = DAYS,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the appointments; the same seed gives the same ones on one day.")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="How it misbehaves, such as time_form=epoch; may be repeated."),
    ] = None,
    lasts: Annotated[float, duration("--for", help="End after this time, instead of at Ctrl-C.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Answer as a Qmatic Orchestra would, with invented offices and appointments, until Ctrl-C.

    Both families of its API show the same appointments: the calendar and the queue side, each directly and at the path
    of Qmatic's API Gateway. Faults can be changed while it runs, at /simulator/faults: docs/reminders-qmatic.md lists
    them. Nothing is stored.

    Example: vetlla reminders simulate-qmatic --port 8090 --fault gone=500+E142
    """
    # The other commands of the group do not wait for the server of HTTP.
    from vetlla.simulator.qmatic.server import Orchestra  # noqa: PLC0415 - see above

    faults = faults_of(OrchestraFaults, fault or [])
    chosen = random.randrange(SEEDS) if seed is None else seed  # noqa: S311 - a simulation, not a secret
    simulator = Orchestra(
        invented(seed=chosen, offices=offices, per_day=per_day, days=days), faults=faults, host=host, port=port
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(simulator, lasts, as_json=as_json))


async def _serve(simulator: Orchestra, lasts: float, *, as_json: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with simulator:
        _print(_described(simulator), as_json=as_json)
        try:
            async with asyncio.timeout(lasts or None):
                await stop.wait()
        except TimeoutError:
            return


def _described(simulator: Orchestra) -> dict[str, Any]:
    world, doors = simulator.world, simulator.doors
    return {
        "url": simulator.url,
        "seed": world.seed,
        "offices": [{"id": one.id, "public_id": one.public_id, "name": one.name} for one in world.branches],
        "appointments": len(world.bookings),
        "calendar": ["/calendar-backend", "/rest/calendar-backend"],
        "queue": ["/qsystem/rest/appointment", "/rest/appointment"],
        "faults": "/simulator/faults",
        "user": doors.user,
        "password": doors.password,
        "auth_token": doors.auth_token,
        "api_key": doors.api_key,
    }


def _print(described: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(described)
        return
    shown = console()
    named = ", ".join(f"{one['id']} {one['name']}" for one in described["offices"][:10])
    shown.print(f"Orchestra listens at {described['url']} with {described['appointments']} appointments")
    shown.print(f"offices    {named}")
    shown.print(f"calendar   {' or '.join(described['calendar'])}")
    shown.print(f"queue      {' or '.join(described['queue'])}")
    shown.print(f"user       {described['user']}, password {described['password']}")
    shown.print(f"auth-token {described['auth_token']}")
    shown.print(f"X-Api-Key  {described['api_key']}")
    shown.print(f"seed       {described['seed']}")
    shown.print(f"faults     curl -X PATCH {described['url']}{described['faults']} -d '{{\"empty_list\": true}}'")
