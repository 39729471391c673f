"""``vetlla position`` shows where a terminal was last, for the person who goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from vetlla.cli.kit.moments import Utc, shown
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, OfLine, OfReceiver, StateDir
from vetlla.cli.kit.output import console, print_json
from vetlla.domain.accounts import AccountBook
from vetlla.domain.clock import SECOND_US, SystemClock, iso, stretch
from vetlla.domain.errors import UsageError
from vetlla.domain.printable import printable
from vetlla.service.queue.account_matching import meant
from vetlla.store.accounts.table import find_accounts
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.positions import LastKnown, last_position
from vetlla.store.registry.registry import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from vetlla.domain.signals import AccountId, Position

app = typer.Typer(help="Ask where a terminal is.", no_args_is_help=True)

ZOOM: Final = 17
"""Zoom level of the map: it shows a few streets."""
LABEL_WIDTH: Final = 12
SOURCES: Final = {
    "gps": "satellites",
    "lbs": "mobile network, hundreds of metres to kilometres",
    "last": "the device's last fix, because it has none now",
    "home_beacon": "home beacon",
    "home_wifi": "Wi-Fi at home",
    "beacon": "beacon",
    "phone": "telephone or assisted",
}
"""Meaning of the protocols' words for a source. Other words are shown as received."""


@app.callback()
def position() -> None:
    """Ask where a terminal is."""


@app.command()
def show(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Account or IMEI, in any case.")],
    *,
    receiver: OfReceiver = None,
    line: OfLine = None,
    geojson: Annotated[bool, typer.Option("--geojson", help="Print a GeoJSON Feature (RFC 7946) for a map.")] = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Show the last known position of an account: source, accuracy, age, and a link to a map.

    It is the position with the latest time of its own. This need not be the last one received, because devices send
    later what they kept back. The position goes to openstreetmap.org only when you open the link.

    Example: vetlla position show 001017000000019
    """
    if geojson and as_json:
        raise UsageError("--geojson and --json exclude each other", remedy="choose one")
    belongs = _caller(state_dir, account, receiver, line)
    with Archive(state_dir) as archive:
        search = last_position(archive, account, belongs)
    if search.found is None:
        raise _unknown(account, search.looked_through, is_whole=search.is_whole)
    now_us = SystemClock().now().utc_us
    place = _placed(search.found)
    if geojson:
        print_json(_feature(search.found, place, now_us))
    elif as_json:
        print_json(_fields(search.found, place, now_us))
    else:
        for label, text in _lines(search.found, place, now_us):
            console().print(Text(f"{label:<{LABEL_WIDTH}}", style="bold"), Text(text), sep="", soft_wrap=True)


def _caller(state_dir: Path, named: str, receiver: str | None, line: str | None) -> Callable[[AccountId], bool]:
    """Return a function that returns True if a signal is from the account that the user means.

    For an account that is not registered, it compares receiver and line with those in the frame. Raises UsageError if
    several homes have the number and the user has not chosen one.
    """
    with reading(state_dir, SystemClock()) as registry:
        entries = list(find_accounts(registry, account=named))
    if entries:
        entry, book = meant(named, receiver, line, entries, lambda one: one), AccountBook(entries)
        return lambda who: book.find(who) is entry
    return lambda who: all(
        wanted is None or wanted.upper() == registered.upper()
        for wanted, registered in ((receiver, who.receiver), (line, who.line))
    )


def _unknown(account: str, looked_through: int, *, is_whole: bool) -> UsageError:
    if not looked_through:
        return UsageError(
            f"nothing was heard of account {account}", remedy="vetlla accounts list shows the registered ones"
        )
    which = f"its {looked_through:,} signals" if is_whole else f"its newest {looked_through:,} signals"
    remedy = "use its home's address: a terminal that cannot tell its position is taken to be at home"
    return UsageError(f"no position of account {account} is known: none of {which} has one", remedy=remedy)


def _placed(found: LastKnown) -> Position:
    position = found.stored.signal.position
    assert position is not None  # the search finds only signals with a position
    return position


def _link(place: Position) -> str:
    """Return the address of a map with a marker."""
    where = f"{place.latitude:.6f}", f"{place.longitude:.6f}"
    return "https://www.openstreetmap.org/?mlat={0}&mlon={1}#map={2}/{0}/{1}".format(*where, ZOOM)


def _age_s(found: LastKnown, now_us: int) -> float:
    return max(0, now_us - found.at_us) / SECOND_US


def _fields(found: LastKnown, place: Position, now_us: int) -> dict[str, Any]:
    """Return the known fields of the position, under stable names."""
    signal = found.stored.signal
    return {
        "account": signal.id.account,
        "receiver": signal.id.receiver,
        "line": signal.id.line,
        "home": found.stored.home,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "altitude_m": place.altitude_m,
        "accuracy_m": place.accuracy_m,
        "source": place.source,
        "at": iso(found.at_us) if found.is_timed else None,
        "received": iso(found.stored.received_us),
        "age_s": round(_age_s(found, now_us), 3),
        "protocol": signal.protocol,
        "kind": signal.event.kind.value,
        "buffered": signal.buffered,
        "signal": found.stored.id,
        "map": _link(place),
    }


def _feature(found: LastKnown, place: Position, now_us: int) -> dict[str, Any]:
    """Return a GeoJSON Feature: longitude before latitude, WGS 84, the other fields as properties (RFC 7946, 3.1.1)."""
    fields = _fields(found, place, now_us)
    where = [fields.pop("longitude"), fields.pop("latitude")]
    if (altitude := fields.pop("altitude_m")) is not None:
        where.append(altitude)
    return {
        "type": "Feature",
        "id": fields["signal"],
        "geometry": {"type": "Point", "coordinates": where},
        "properties": fields,
    }


def _lines(found: LastKnown, place: Position, now_us: int) -> Iterator[tuple[str, str]]:
    """Yield labels and texts for a person. An unknown value has no line."""
    stored = found.stored
    receiver, line, account = stored.signal.id
    named = ((", receiver ", receiver), (", line ", line), (", home ", stored.home))
    yield "account", printable(account + "".join(label + value for label, value in named if value))
    yield "position", f"{place.latitude:.6f}, {place.longitude:.6f}"
    yield "source", printable(SOURCES.get(place.source, place.source) or "not reported")
    if place.accuracy_m is not None:
        yield "accuracy", f"{place.accuracy_m:g} m"
    if place.altitude_m is not None:
        yield "altitude", f"{place.altitude_m:g} m"
    if found.is_timed:
        yield "there at", f"{shown(found.at_us)} (the device's clock)"
    late = ", kept back by the device" if stored.signal.buffered else ""
    yield "received", f"{shown(stored.received_us)}{late}"
    yield "age", f"{stretch(_age_s(found, now_us))}{'' if found.is_timed else ' since it was received'}"
    yield "reported by", printable(f"signal {stored.id}: {stored.signal.event.kind.value} ({stored.signal.protocol})")
    yield "map", _link(place)
