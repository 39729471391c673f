"""Days and hours as the city hall writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vetlla.domain.errors import ConfigError
from vetlla.service.reminders.texts import dates

LLEIDA = "Europe/Madrid"


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """Return a moment of UTC in the zone of Lleida."""
    return dates.local(datetime(2026, month, day, hour, minute, tzinfo=UTC), LLEIDA)


def test_a_day_and_its_hour_are_written_as_a_native_writes_them() -> None:
    moment = at(11, 24, 9, 30)
    assert dates.day_and_hour(moment, "ca") == "dimarts 24 de novembre a les 10.30 h"
    assert dates.day_and_hour(moment, "es") == "martes 24 de noviembre a las 10:30 h"
    assert dates.short_day_and_hour(moment, "ca") == "dimarts 24/11 a les 10.30 h"
    assert dates.short_day_and_hour(moment, "es") == "martes 24/11 a las 10:30 h"


@pytest.mark.parametrize(
    ("month", "written"),
    [
        (1, "de gener"), (2, "de febrer"), (3, "de març"), (4, "d'abril"), (5, "de maig"), (6, "de juny"),
        (7, "de juliol"), (8, "d'agost"), (9, "de setembre"), (10, "d'octubre"), (11, "de novembre"),
        (12, "de desembre"),
    ],
)  # fmt: skip
def test_de_is_elided_before_the_months_that_begin_with_a_vowel(month: int, written: str) -> None:
    assert dates.day(at(month, 5, 10), "ca").endswith(f" 5 {written}")


def test_spanish_months_are_never_elided() -> None:
    assert dates.day(at(4, 7, 10), "es") == "martes 7 de abril"
    assert dates.day(at(10, 7, 10), "es") == "miércoles 7 de octubre"


def test_each_day_of_the_week_has_its_name() -> None:
    week = [at(11, 23 + number, 10) for number in range(7)]
    assert [dates.day(one, "ca").split()[0] for one in week] == [
        "dilluns", "dimarts", "dimecres", "dijous", "divendres", "dissabte", "diumenge",
    ]  # fmt: skip
    assert [dates.day(one, "es").split()[0] for one in week] == [
        "lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo",
    ]  # fmt: skip


def test_the_hour_of_one_is_singular_and_thirteen_is_not() -> None:
    assert dates.day_and_hour(at(11, 24, 0, 30), "ca").endswith("a la 1.30 h")
    assert dates.day_and_hour(at(11, 24, 0, 30), "es").endswith("a la 1:30 h")
    assert dates.day_and_hour(at(11, 24, 12), "ca").endswith("a les 13.00 h")
    assert dates.day_and_hour(at(11, 24, 12), "es").endswith("a las 13:00 h")


def test_minutes_have_two_digits() -> None:
    assert dates.hour(at(11, 24, 8, 5), "ca") == "9.05 h"


def test_the_hour_is_the_one_of_the_office_on_the_days_when_clocks_change() -> None:
    """Clocks of Lleida go back on 25 October 2026 and forward on 28 March 2027."""
    assert dates.hour(at(10, 24, 8), "ca") == "10.00 h"
    assert dates.hour(at(10, 25, 9), "ca") == "10.00 h"
    before, after = (datetime(2027, 3, day, 9, tzinfo=UTC) for day in (27, 28))
    assert dates.hour(dates.local(before, LLEIDA), "ca") == "10.00 h"
    assert dates.hour(dates.local(after, LLEIDA), "ca") == "11.00 h"


def test_the_day_is_the_one_of_the_office_and_not_of_utc() -> None:
    assert dates.day(at(11, 24, 23, 30), "ca") == "dimecres 25 de novembre"
    assert dates.day(dates.local(datetime(2026, 11, 24, 9, tzinfo=UTC), "Atlantic/Canary"), "ca").startswith("dimarts")


def test_an_unknown_zone_is_an_error_with_a_remedy() -> None:
    for zone in ("Europe/Lleida", "", "../etc/passwd"):
        with pytest.raises(ConfigError, match="no time zone") as caught:
            dates.local(datetime.now(UTC), zone)
        assert "Europe/Madrid" in caught.value.remedy


def test_no_day_of_a_year_misses_an_elision() -> None:
    first = datetime(2026, 1, 1, 10, tzinfo=UTC)
    written = [dates.day_and_hour(dates.local(first + timedelta(days=one), LLEIDA), "ca") for one in range(365)]
    assert not [one for one in written if " de a" in one or " de o" in one]
    assert len(set(written)) == 365
