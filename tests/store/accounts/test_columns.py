"""Accounts as text have one canonical form per column, and every refused text has a reason."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vetlla.domain.accounts import STANDARD_WINDOW, Account, AccountKey, ClockWindow, Maker, Remap, account_key
from vetlla.domain.signals import Kind, Priority
from vetlla.store.accounts.columns import ACCOUNTS as KIND
from vetlla.store.accounts.columns import COLUMNS, account_from, row_from

NUMBER = st.text("0123456789abcdefABCDEF", max_size=6)
WINDOWS = st.one_of(
    st.none(), st.just(STANDARD_WINDOW), st.builds(ClockWindow, st.integers(0, 86_400), st.integers(0, 86_400))
)
REMAPS = st.dictionaries(
    st.text("0123456789ABCZ*#+-", min_size=1, max_size=16),
    st.one_of(
        st.builds(Remap, st.sampled_from(Kind), st.none() | st.sampled_from(Priority)),
        st.builds(Remap, st.none(), st.sampled_from(Priority)),
    ),
    max_size=4,
)
ACCOUNTS = st.builds(
    Account,
    account=st.text("0123456789abcXYZ", min_size=1, max_size=16),
    receiver=NUMBER,
    line=NUMBER,
    home=st.sampled_from(["", "H-1", "Gràcia, 7; 2n"]),
    key_name=st.sampled_from(["", "north", "key.2027_a-b"]),
    clock_window=WINDOWS,
    interval_s=st.integers(0, 32 * 86_400),
    ucr_interval_s=st.integers(0, 32 * 86_400),
    allowed_misses=st.integers(0, 100),
    labels=st.sampled_from([(), ("operator:orange",), ("operator:orange", "cell:214-07-1234")]),
    support_level=st.integers(0, 3),
    maker=st.none() | st.sampled_from(Maker),
    remaps=REMAPS,
)


@settings(max_examples=200)
@given(ACCOUNTS)
def test_an_account_survives_its_row(account: Account) -> None:
    """An account that is written and read back, by the registry or from a file, is the same."""
    row = row_from(account)

    assert account_from(list(row.values())) == account
    assert Account(**{column: KIND.parse(column, str(row[column])) for column in COLUMNS}) == account


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("account", " 0123 ", "0123"),
        ("account", "foc7688", "foc7688"),
        ("account", "+34900000000", "+34900000000"),
        ("receiver", "", ""),
        ("line", "00", "00"),
        ("home", "", ""),
        ("clock_window", "", STANDARD_WINDOW),
        ("clock_window", "Standard", STANDARD_WINDOW),
        ("clock_window", "-40..20", STANDARD_WINDOW),
        ("clock_window", "OFF", None),
        ("clock_window", "-300..+60", ClockWindow(300, 60)),
        ("clock_window", "-5m..1m", ClockWindow(300, 60)),
        ("interval_s", "", 0),
        ("interval_s", "0", 0),
        ("interval_s", "900", 900),
        ("interval_s", "90s", 90),
        ("interval_s", "15m", 900),
        ("interval_s", "1H", 3600),
        ("interval_s", "32d", 32 * 86_400),
        ("interval_s", "1.5h", 5_400),
        ("interval_s", "1h30m", 5_400),
        ("support_level", "", 0),
        ("support_level", "3", 3),
        ("maker", "", None),
        ("maker", " Ajax", Maker.AJAX),
        ("remaps", "", {}),
        ("remaps", "120=fall", {"120": Remap(Kind.FALL, None)}),
        (
            "remaps",
            " 120 = fall:life ; QA=:TECHNICAL; ",
            {"120": Remap(Kind.FALL, Priority.LIFE), "QA": Remap(None, Priority.TECHNICAL)},
        ),
    ],
)
def test_texts_that_people_write_are_understood(column: str, text: str, value: object) -> None:
    """Units, spaces, upper and lower case and empty cells are understood."""
    assert KIND.parse(column, text) == value


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("account", "", "should be letters, digits"),
        ("account", "#1234", "without the #"),
        ("account", "12 34", "should be letters, digits"),
        ("account", "1234.0", "should be letters, digits"),
        ("account", "x" * 65, "at most 64"),
        ("receiver", "R1", "without a leading R or L"),
        ("line", "1234567", "1 to 6 hex digits"),
        ("home", "H\x001", "printable"),
        ("home", "h" * 65, "at most 64"),
        ("key_name", "a b", "letters, digits"),
        ("key_name", "north~previous", "letters, digits"),
        ("key_name", "00112233445566778899AABBCCDDEEFF", "looks like a key itself"),
        ("clock_window", "none", "should be"),
        ("clock_window", "40..20", "should be"),
        ("clock_window", "-40..86401", "no window write"),
        ("clock_window", "-5x..1m", "should be a duration"),
        ("interval_s", "1.5", "whole seconds"),
        ("interval_s", "-1", "should be a duration such as 90s"),
        ("interval_s", "33d", "at most 32 days"),
        ("allowed_misses", "-1", "should be a number"),
        ("allowed_misses", "101", "at most 100"),
        ("labels", "operator=orange", "should be labels such as"),
        ("labels", "a b c d e f g h i", "at most 8"),
        ("support_level", "4", "1, 2 or 3"),
        ("maker", "acme", "should be one of ajax, climax, inim"),
        ("remaps", "120", "should be like"),
        ("remaps", "1 2=fall", "should be like"),
        ("remaps", "120=", "says nothing about code 120"),
        ("remaps", "120=:", "says nothing about code 120"),
        ("remaps", "120=fal", "did you mean fall?"),
        ("remaps", "120=zzzz", "unknown kind"),
        ("remaps", "120=fall:HIGH", "choose from LIFE, HOME_RISK"),
        ("remaps", "120=fall;120=smoke", "gives code 120 two meanings"),
    ],
)
def test_a_refused_text_has_a_reason(column: str, text: str, reason: str) -> None:
    """The reason says what the text should be, and does not repeat the text."""
    with pytest.raises(ValueError, match=r".") as caught:
        KIND.parse(column, text)

    assert reason in str(caught.value)
    assert len(text) < 8 or text not in str(caught.value)


def test_accounts_are_distinguished_by_the_parts_that_they_name() -> None:
    """Upper and lower case are equal, empty parts are not shown, and zeros stay."""
    assert AccountKey("0a1", "c", "").folded == AccountKey("0A1", "C", "")
    assert str(AccountKey("0a1")) == "0a1"
    assert str(account_key(Account(account="1", receiver="2", line="3"))) == "1 receiver 2 line 3"
