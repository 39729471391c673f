"""An account as a row of text, as in a CSV or JSON file, an option, the registry and a record of change.

Every column has one canonical text. So a file that is exported, edited and imported again changes only what was edited.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from sys import intern
from typing import Annotated, Any, Final, Required

from typing_extensions import TypedDict

from vetlla.domain.accounts import NO_REMAPS, STANDARD_WINDOW, Account, ClockWindow, Maker, Remap
from vetlla.domain.clock import seconds_of
from vetlla.domain.column_types import AccountNumber, HomeCode
from vetlla.domain.columns import Cell, Holds, Matches, ReadBy, RowKind, words
from vetlla.domain.signals import Kind, Priority

INTERVAL_MAX_S = 32 * 86_400
"""EN 50136-1's longest reporting time, category SP1: 32 days."""
MISSES_MAX = 100
"""Most misses of an account. More would hide a silent device for ever; change the interval instead."""
LABELS_MAX = 8
"""Most labels of an account, because the receiver compares each of them when a device is lost."""
LABELS_KEPT = 10_000
"""Different texts of labels that are cached: the cells of a region."""
WINDOW_MAX_S = 86_400
"""A window of more than a day either way protects against nothing; "off" shows that openly."""

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,63}")
_SECRET = re.compile(r"[0-9A-Fa-f]{32,}")
_CODE = re.compile(r"[0-9A-Za-z*#+-]{1,16}")
_LABEL = re.compile(r"[0-9a-z][0-9A-Za-z:._-]{0,63}")


def account_from(values: Sequence[Any]) -> Account:
    """Return the account of a registry row, whose values are in the order of COLUMNS. Raises ValueError if it is wrong.

    A quarter of a million rows are read at each start, so values that are canonical already are not checked again.
    """
    account, receiver, line, home, key_name, window, interval_s, ucr_s, misses, labels, level, maker, remaps = values
    return Account(
        account=account,
        receiver=receiver,
        line=line,
        home=home,
        key_name=key_name,
        clock_window=STANDARD_WINDOW if window == "standard" else _window(window),
        interval_s=interval_s,
        ucr_interval_s=ucr_s,
        allowed_misses=misses,
        labels=_shared(labels) if labels else (),
        support_level=level,
        maker=Maker(maker) if maker else None,
        remaps=_remaps(remaps) if remaps else NO_REMAPS,
    )


def row_from(account: Account) -> dict[str, str | int]:
    """Return an account's row, with canonical texts, and with numbers as numbers."""
    return {
        "account": account.account,
        "receiver": account.receiver,
        "line": account.line,
        "home": account.home,
        "key_name": account.key_name,
        "clock_window": window_text(account.clock_window),
        "interval_s": account.interval_s,
        "ucr_interval_s": account.ucr_interval_s,
        "allowed_misses": account.allowed_misses,
        "labels": " ".join(account.labels),
        "support_level": account.support_level,
        "maker": account.maker.value if account.maker else "",
        "remaps": remaps_text(account.remaps),
    }


def window_text(window: ClockWindow | None) -> str:
    """Return "standard", "off" or "-40..20"."""
    match window:
        case None:
            return "off"
        case _ if window == STANDARD_WINDOW:
            return "standard"
        case _:
            return f"-{window.behind_s}..{window.ahead_s}"


def remaps_text(remaps: Mapping[str, Remap]) -> str:
    """Return "120=fall:LIFE;130=:TECHNICAL", in the order of the codes."""
    return ";".join(
        f"{code}={remap.kind or ''}" + (f":{remap.priority.name}" if remap.priority is not None else "")
        for code, remap in sorted(remaps.items())
    )


def key_named(text: str) -> str:
    """Return the name of a key. Raises ValueError if the text cannot be a name."""
    if _SECRET.fullmatch(text):
        raise ValueError("looks like a key itself: write the key's name here and give the key to `vetlla keys set`")
    if not _NAME.fullmatch(text):
        raise ValueError("should be letters, digits, '.', '_' and '-', at most 64")
    return text


# --- texts with a form of their own -----------------------------------------------------------------------------------


def _key_name(text: str) -> str:
    return text and key_named(text)


def _window(text: str) -> ClockWindow | None:
    match text.lower():
        case "" | "standard":
            return STANDARD_WINDOW
        case "off":
            return None
    behind, dots, ahead = text.partition("..")
    if not (behind.startswith("-") and dots):
        raise ValueError('should be "standard" (-40..20), "off", or two durations such as "-300..60" or "-5m..1m"')
    window = ClockWindow(_seconds(behind[1:]), _seconds(ahead.removeprefix("+")))
    if max(window) > WINDOW_MAX_S:
        raise ValueError(f'should not reach further than {WINDOW_MAX_S} seconds; for no window write "off"')
    return window


def _interval(text: str) -> int:
    try:
        seconds = _seconds(text or "0")
    except ValueError as error:
        raise ValueError(f"{error}; 0 for none") from error
    if seconds > INTERVAL_MAX_S:
        raise ValueError("should be at most 32 days")
    return seconds


def _seconds(text: str) -> int:
    seconds = seconds_of(text)
    if not seconds.is_integer():
        raise ValueError("should be whole seconds")
    return int(seconds)


def _misses(text: str) -> int:
    if not text.isdecimal() and text:
        raise ValueError("should be a number; 0 or empty for the service's default")
    if int(text or 0) > MISSES_MAX:
        raise ValueError(f"should be at most {MISSES_MAX}")
    return int(text or 0)


@lru_cache(maxsize=LABELS_KEPT)
def _shared(labels: str) -> tuple[str, ...]:
    """Return the labels of a text. Accounts with equal labels share one value, because there may be a million."""
    return tuple(map(intern, labels.split()))


def _labels(text: str) -> tuple[str, ...]:
    labels = _shared(text)
    if len(labels) > LABELS_MAX:
        raise ValueError(f"should be at most {LABELS_MAX} labels")
    if not all(map(_LABEL.fullmatch, labels)):
        raise ValueError('should be labels such as "operator:orange cell:214-07-1234", at most 64 characters each')
    return labels


def _remaps(text: str) -> dict[str, Remap]:
    remaps: dict[str, Remap] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        code, equals, meaning = (piece.strip() for piece in part.partition("="))
        if not equals or not _CODE.fullmatch(code):
            raise ValueError('should be like "120=fall:LIFE;130=:TECHNICAL" (code=kind:PRIORITY, either may be absent)')
        if code in remaps:
            raise ValueError(f"gives code {code} two meanings")
        remaps[code] = _remap(code, meaning)
    return remaps


def _remap(code: str, meaning: str) -> Remap:
    kind, _, priority = (piece.strip() for piece in meaning.partition(":"))
    if not (kind or priority):
        raise ValueError(f"says nothing about code {code}: give a kind, a priority, or both")
    if kind and kind not in set(Kind):
        raise ValueError(f"gives code {code} an unknown kind{_closest(kind.lower(), list(Kind))}")
    if priority and priority.upper() not in Priority.__members__:
        raise ValueError(f"gives code {code} an unknown priority: choose from {', '.join(Priority.__members__)}")
    return Remap(Kind(kind) if kind else None, Priority[priority.upper()] if priority else None)


def _closest(word: str, words: list[Kind]) -> str:
    close = get_close_matches(word, words, n=1)
    return f": did you mean {close[0]}?" if close else ""


# --- types ------------------------------------------------------------------------------------------------------------

FrameNumber = Annotated[
    str,
    Matches("[0-9A-Fa-f]{0,6}", "should be 1 to 6 hex digits, without a leading R or L; empty for any"),
    Cell(Holds.CODE),
]
"""In DC-09 the fields R and L carry 1 to 6 hex digits."""
KeyName = Annotated[str, ReadBy(_key_name), Cell(Holds.CODE, secret=True)]
Window = Annotated[ClockWindow | None, ReadBy(_window)]
Interval = Annotated[int, ReadBy(_interval), Cell(Holds.NUMBER)]
Misses = Annotated[int, ReadBy(_misses), Cell(Holds.NUMBER)]
Labels = Annotated[tuple[str, ...], ReadBy(_labels)]
SupportLevel = Annotated[
    int,
    words({"": 0, "0": 0, "1": 1, "2": 2, "3": 3}, "should be 1, 2 or 3; 0 or empty if it is not known"),
    Cell(Holds.NUMBER),
]
MakerOfCodes = Annotated[
    Maker | None,
    words(
        {"": None, **{maker.value: maker for maker in Maker}},
        f"should be one of {', '.join(Maker)}; empty if the codes are those of the standard",
    ),
]
Remaps = Annotated[Mapping[str, Remap], ReadBy(_remaps)]


class AccountRow(TypedDict, total=False):
    """An account in a file. A field that the file lacks stays as it is registered."""

    account: Required[AccountNumber]
    receiver: FrameNumber
    line: FrameNumber
    home: HomeCode
    key_name: KeyName
    clock_window: Window
    interval_s: Interval
    ucr_interval_s: Interval
    allowed_misses: Misses
    labels: Labels
    support_level: SupportLevel
    maker: MakerOfCodes
    remaps: Remaps


ACCOUNTS: Final = RowKind(AccountRow)
COLUMNS: Final = tuple(column.name for column in ACCOUNTS.columns)
"""The columns of a file of accounts, in the order in which they are written."""
