"""The sentences that explain a verdict, and the findings of monitoring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rigs.duties import DAY_US, HOUR_US, MADRID, MINUTE_US, kind, promising, recorded, rules, told, us
from vetlla.domain.clock import to_datetime
from vetlla.domain.findings import Level
from vetlla.service.duties.checking import Margins, check
from vetlla.service.duties.grouping import group
from vetlla.service.duties.standing import Standing, standing
from vetlla.service.duties.why import why

if TYPE_CHECKING:
    from vetlla.domain.duties import NewEvent
    from vetlla.service.duties.terms import DutyRules

WORSE = {"over": 50, "is": "grave fault", "clause": "17"}
OPENED = told("detected", "2026-11-02 09:00")
HOUR = rules(60, "minutes", fault=kind(worse=WORSE))
VISIT = rules(90, "minutes", fault=promising("interval"))
SCHEDULED = told("scheduled", "2026-11-02 09:00", begin_us="2026-11-04 10:00", end_us="2026-11-04 11:00")


def stand(known: DutyRules, *events: NewEvent, now: str = "2026-12-31 12:00", number: int = 1) -> Standing:
    (duty,) = group(known.kinds.kind("fault"), recorded(*events)).duties
    return standing(duty._replace(id=number), known, us(now))


def said(known: DutyRules, *events: NewEvent, now: str = "2026-12-31 12:00") -> str:
    return why(stand(known, *events, now=now), lambda at: f"{to_datetime(at).astimezone(MADRID):%d %H:%M}")


def test_a_duty_that_is_kept() -> None:
    assert said(HOUR, OPENED, told("solved", "2026-11-02 10:00")) == (
        "It was opened (detected) at 02 09:00. The limit is 60 minutes (parameter limit, assumed: PPT)."
        " It is kept: solved at 02 10:00, and its clock would have run out at 02 10:00."
        " Parameter absent_stops is yes (assumed: PPT). Source: clause 1."
    )


def test_a_stop_and_a_breach_by_far() -> None:
    text = said(
        HOUR,
        OPENED,
        told("paused", "2026-11-02 09:10"),
        told("resumed", "2026-11-02 09:20"),
        told("solved", "2026-11-02 12:00"),
    )
    assert "The clock stood from 02 09:10 (paused) until 02 09:20." in text
    assert "It is breached: solved at 02 12:00, 1 h 50 min after its clock ran out at 02 10:10." in text
    assert "The limit is exceeded by more than 50 %, which is a grave fault (17)." in text


def test_open_duties() -> None:
    assert "It is open, and its clock runs out at 02 10:00." in said(HOUR, OPENED, now="2026-11-02 09:30")
    stopped = said(HOUR, OPENED, told("absent", "2026-11-02 09:10"))
    assert (
        "The clock stood from 02 09:10 (absent) and has not started again. It is open, and its clock stands." in stopped
    )
    assert "It is breached: its clock ran out at 02 10:00." in said(HOUR, OPENED)
    assert "It is open, and it has no clock." in said(rules(fault=kind(clock="none", limit=None, stops=None)), OPENED)


def test_duties_that_were_called_off() -> None:
    assert "It was called off (cancelled) at 02 09:10." in said(HOUR, OPENED, told("cancelled", "2026-11-02 09:10"))
    late = said(HOUR, OPENED, told("cancelled", "2026-11-02 11:00"))
    assert "It is breached: its clock ran out at 02 10:00, before it was called off (cancelled)." in late


def test_promises() -> None:
    assert "The widest interval that may be promised is 90 minutes" in said(VISIT, SCHEDULED)
    assert "The promised time is 04 10:00 to 04 11:00 (scheduled)." in said(VISIT, SCHEDULED)
    early = said(VISIT, SCHEDULED, told("arrived", "2026-11-04 09:59"))
    assert "It is breached: arrived at 04 09:59, before the promised interval." in early
    wide = SCHEDULED._replace(end_us=us("2026-11-04 12:00"))
    assert "arrived at 04 10:10, and the promised interval is wider than allowed." in said(
        VISIT, wide, told("arrived", "2026-11-04 10:10")
    )
    half = SCHEDULED._replace(begin_us=None)
    assert "The promised time is up to 04 11:00 (scheduled)." in said(VISIT, half)
    nothing = SCHEDULED._replace(begin_us=None, end_us=None)
    assert "arrived at 04 10:10, and no time was promised." in said(VISIT, nothing, told("arrived", "2026-11-04 10:10"))


def test_an_end_that_does_not_fulfil_the_duty() -> None:
    known = rules(60, "minutes", fault=kind(judged={"access": ""}, stops=None))
    assert "It is breached: solved at 02 09:30 does not fulfil it." in said(
        known, OPENED, told("solved", "2026-11-02 09:30")
    )


# --- monitoring -------------------------------------------------------------------------------------------------------

MARGINS = Margins(DAY_US, DAY_US)


def levels(*standings: Standing, now: str) -> tuple[list[tuple[Level, str]], int]:
    found, old = check(standings, MARGINS, us(now))
    return [(one.level, one.text.rpartition(": ")[2]) for one in found], old


def test_a_clock_in_minutes_warns_in_its_last_quarter() -> None:
    for now, expected in (("2026-11-02 09:44", []), ("2026-11-02 09:45", ["the clock runs out in 15 min 0 s"])):
        found, old = levels(stand(HOUR, OPENED, now=now), now=now)
        assert ([text for _, text in found], old) == (expected, 0)


def test_a_clock_in_days_warns_a_day_ahead() -> None:
    days = rules(7, "natural days")
    for now, count in (("2026-11-08 23:59", 0), ("2026-11-09 00:00", 1)):
        found, _ = levels(stand(days, OPENED, now=now), now=now)
        assert [level for level, _ in found] == [Level.WARNING] * count


def test_a_clock_that_ran_out_is_critical_for_a_day() -> None:
    for now, expected in (
        ("2026-11-02 10:00", ([(Level.WARNING, "the clock runs out in 0 s")], 0)),
        ("2026-11-02 10:01", ([(Level.CRITICAL, "the clock ran out 1 min 0 s ago")], 0)),
        ("2026-11-03 10:00", ([(Level.CRITICAL, "the clock ran out 1 d 0 h ago")], 0)),
        ("2026-11-03 10:01", ([], 1)),
    ):
        assert levels(stand(HOUR, OPENED, now=now), now=now) == expected


def test_what_is_decided_or_stands_is_no_finding() -> None:
    now = "2026-11-02 12:00"
    for event in ("solved", "cancelled"):
        assert levels(stand(HOUR, OPENED, told(event, "2026-11-02 11:00"), now=now), now=now) == ([], 0)
    assert levels(stand(HOUR, OPENED, told("paused", "2026-11-02 09:10"), now=now), now=now) == ([], 0)
    judged = rules(60, "minutes", fault=kind(judged={"access": ""}, stops=None))
    assert levels(stand(judged, OPENED, told("access", "2026-11-02 11:00"), now=now), now=now) == ([], 0)


def test_the_most_urgent_finding_comes_first() -> None:
    now = "2026-11-02 10:10"
    late = stand(HOUR, OPENED, now=now, number=3)
    later = stand(HOUR, told("detected", "2026-11-02 08:00"), now=now, number=4)
    soon = stand(HOUR, told("detected", "2026-11-02 09:20"), now=now, number=1)
    found, _ = check([soon, late, later], MARGINS, us(now))
    assert [one.figures["duty"] for one in found if one.figures] == [4, 3, 1]
    assert found[0].remedy == "vetlla duties show 4"
    assert HOUR_US == 60 * MINUTE_US
