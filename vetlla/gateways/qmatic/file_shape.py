"""An appointment as a row of a file: columns with names that an office would give them, in Catalan, Spanish or English.

A row needs an id, an office and a start (or a day and an hour). All others may be absent or empty.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.appointments import Appointment, AppointmentKey, AppointmentStatus, BookedService
from vetlla.gateways.qmatic.fields import UnreadableFieldError, id_in, language_of, may_cancel, phone_of, status_of
from vetlla.gateways.qmatic.moments import moment_of, optional_moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "codi", "codigo", "code", "localitzador", "localizador", "publicid"),
    "office": ("office", "oficina", "branch", "branchid"),
    "start": ("start", "inici", "inicio", "starttime"),
    "end": ("end", "fi", "final", "fin", "endtime"),
    "day": ("day", "date", "dia", "data", "fecha"),
    "hour": ("hour", "time", "hora"),
    "phone": ("phone", "telefon", "telefono", "mobil", "movil", "phonenumber"),
    "service": ("service", "tramit", "tramite", "servei", "servicio"),
    "service_id": ("service_id", "serviceid", "codi_tramit", "codigo_tramite"),
    "status": ("status", "estat", "estado"),
    "language": ("language", "lang", "idioma", "llengua", "lengua"),
    "updated": ("updated", "actualitzat", "actualizado", "updatetime"),
    "may_cancel": ("may_cancel", "cancelenabled", "anullable", "anulable"),
}
"""Name of a value -> the names of its column, in small letters without accents."""
_ACCENTS = str.maketrans("àáèéíïòóúüç·", "aaeeiioouuc ")
_NO = frozenset({"no", "false", "0", "n"})
_ORDERS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y")
"""How people here write a day; the month never stands first."""


def columns_of(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of a row by our names, as texts; columns with other names are left out."""
    there: dict[str, str] = {}
    for name, value in row.items():
        plain = str(name).strip().lower().translate(_ACCENTS).replace(" ", "")
        for ours, names in NAMES.items():
            if plain in names and ours not in there and (text := _text(value)):
                there[ours] = text
    return there


def file_appointment(row: Mapping[str, Any], *, source: str, zone: ZoneInfo) -> Appointment:
    """Return the appointment of a row. Raises UnreadableFieldError."""
    values = columns_of(row)
    start = _start(values, zone)
    status, given = status_of(values["status"]) if "status" in values else (AppointmentStatus.CREATED, "")
    phone, phone_given = phone_of([values.get("phone", "")])
    service, named = values.get("service_id", ""), values.get("service", "")
    allowed = may_cancel({"cancelEnabled": values.get("may_cancel", "").lower() not in _NO})
    return Appointment(
        key=AppointmentKey(source, id_in(values, "id")),
        office=id_in(values, "office"),
        start=start,
        end=max(start, optional_moment(values.get("end"), zone) or start),
        zone=zone.key,
        status=status,
        status_given=given,
        services=(BookedService(service or named, named, allowed),) if service or named else (),
        phone=phone,
        phone_given=phone_given,
        language=language_of(values.get("language", "")),
        updated_at=optional_moment(values.get("updated"), zone),
    )


def _start(values: Mapping[str, str], zone: ZoneInfo) -> datetime:
    written = values.get("start") or f"{_day(values.get('day', ''))}T{_hour(values.get('hour', ''))}"
    try:
        return moment_of(written, zone)
    except ValueError as error:
        raise UnreadableFieldError(f"the start {error}") from None


def _day(text: str) -> str:
    for order in _ORDERS:
        try:
            return datetime.strptime(text[:10], order).date().isoformat()  # noqa: DTZ007 - a day of the calendar
        except ValueError:
            continue
    raise UnreadableFieldError("the day is no day")


def _hour(text: str) -> str:
    clean = text.lower().removesuffix("h").strip().replace(".", ":")
    hours, _, minutes = clean.partition(":")
    if not (hours.isdecimal() and len(hours) <= 2 and (not minutes or minutes.replace(":", "").isdecimal())):
        raise UnreadableFieldError("the hour is no hour")
    return f"{hours:0>2}:{minutes or '00'}"


def _text(value: object) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() if isinstance(value, str | int | float) else ""
