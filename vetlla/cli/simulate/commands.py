"""``vetlla simulate``: homes that dial, a fleet at a broker or a line receiver, for drills and measurements."""

from __future__ import annotations

import typer

from vetlla.cli.simulate.dial import dial
from vetlla.cli.simulate.mqtt import mqtt
from vetlla.cli.simulate.receiver import receiver
from vetlla.cli.simulate.year import year

app = typer.Typer(help="Let simulated homes report, for drills and measurements.", no_args_is_help=True)
app.command()(dial)
app.command()(mqtt)
app.command()(receiver)
app.command()(year)
