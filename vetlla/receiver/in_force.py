"""Which settings of a new configuration apply at once, and which wait for a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.settings.broker import Mqtt
    from vetlla.settings.listen import Listen
    from vetlla.settings.model import Settings
    from vetlla.settings.sip import Sip

_Place = TypeVar("_Place", "Listen", "Sip", "Mqtt")


class InForce(NamedTuple):
    """The settings after a reload."""

    settings: Settings
    waiting: list[str]
    """Names of the settings that only a restart applies."""
    renewed: frozenset[str]
    """Listeners and brokers whose TLS files are read again."""


def in_force(running: Settings, wanted: Settings) -> InForce:
    """Return the settings that are in force after a reload of the wanted ones."""
    listen, listen_renewed = _with_tls_files(running.listen, wanted.listen)
    sip, sip_renewed = _with_tls_files(running.sip, wanted.sip)
    mqtt, mqtt_renewed = _with_tls_files(running.mqtt, wanted.mqtt)
    standing = {name: getattr(running, name) for name in ("state_dir", "line", "spool", "sink", "http", "log")}
    standing |= {"listen": listen, "sip": sip, "mqtt": mqtt}
    waiting = [name for name, value in standing.items() if getattr(wanted, name) != value]
    if wanted.state_dir != running.state_dir:
        standing["keys_file"] = running.keys_file  # by default it is in the state directory, so both change together
    if wanted.store.checkpoint_pages != running.store.checkpoint_pages:
        pages = {"checkpoint_pages": running.store.checkpoint_pages}
        standing["store"] = wanted.store.model_copy(update=pages)
        waiting.append("store.checkpoint_pages")
    return InForce(wanted.model_copy(update=standing), waiting, listen_renewed | sip_renewed | mqtt_renewed)


def _with_tls_files(running: Iterable[_Place], wanted: Iterable[_Place]) -> tuple[tuple[_Place, ...], frozenset[str]]:
    """Return the running listeners or brokers with the wanted TLS files, and the names of those whose files apply now.

    Other files apply at once only if nothing else changes there, because they may be meant for another host.
    """
    by_name = {place.name: place for place in wanted}
    places, renewed = [], set()
    for place in running:
        other = by_name.get(place.name)
        if other is not None and place.tls and other.tls:
            moved = place.model_copy(update={"tls": other.tls})
            if moved == other or place.tls == other.tls:
                renewed.add(place.name)
                places.append(moved)
                continue
        places.append(place)
    return tuple(places), frozenset(renewed)
