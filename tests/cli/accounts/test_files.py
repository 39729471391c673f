"""Files of accounts: every fault is reported with its place, and only what a file names is changed."""

from __future__ import annotations

import io
import json

import pytest

from vetlla.cli.accounts.files import AccountFile, collect
from vetlla.cli.kit.row_files import sentence
from vetlla.domain.accounts import AccountKey, ClockWindow
from vetlla.domain.errors import UsageError
from vetlla.store.accounts.columns import ACCOUNTS
from vetlla.store.accounts.table import AccountEntry
from vetlla.tables.reader import Reader
from vetlla.tables.source import FileKind, opened
from vetlla.tables.translation import Translation

LOOKS_LIKE_A_KEY = "looks like a key itself: write the key's name here and give the key to `vetlla keys set`"


def read(text: str, kind: FileKind) -> AccountFile:
    with opened(io.BytesIO(text.encode()), kind=kind) as table:
        reader = Reader(ACCOUNTS, table, Translation())
        return AccountFile([], [], reader.faults) if reader.faults else collect(reader.read(table.rows))


def csv(text: str) -> AccountFile:
    return read(text, FileKind.CSV)


def read_json(text: str) -> AccountFile:
    return read(text, FileKind.JSON)


def faults(file: AccountFile) -> list[str]:
    return [sentence(fault, fault.column) for fault in file.faults]


def test_a_csv_file_names_its_columns_in_any_order() -> None:
    """A missing column leaves its field unchanged; an empty cell sets the default."""
    file = csv("home,account,interval_s,key_name\nH-1,0017,15m,north\nH-2,0018,,\n")

    assert file.entries == [
        AccountEntry(AccountKey("0017"), {"home": "H-1", "interval_s": 900, "key_name": "north"}),
        AccountEntry(AccountKey("0018"), {"home": "H-2", "interval_s": 0, "key_name": ""}),
    ]
    assert not file.faults


@pytest.mark.parametrize(
    "text",
    [
        "account,line,remaps\r\n17,2,120=fall\r\n",
        "\ufeffAccount;Line;Remaps\n17;2;120=fall\n",
        'account\tline\tremaps\n17\t2\t"120=fall"\n\n',
        '"account","line","remaps"\n 17 , 2 ,"120=fall"\n , ,\n',
    ],
)
def test_spreadsheets_write_csv_each_their_own_way(text: str) -> None:
    """Separator, byte order mark, line ends, quotes, case and blank lines do not change the result."""
    file = csv(text)

    assert not file.faults
    assert [entry.place for entry in file.entries] == [AccountKey("17", "", "2")]
    assert list(file.entries[0].fields) == ["remaps"]


def test_a_semicolon_in_a_cell_needs_quotes_where_it_separates() -> None:
    """Remaps in quotes are one cell; without quotes the row is refused with the reason."""
    head = "account;remaps\n"

    assert csv(head + '17;"120=fall;130=smoke"\n').entries[0].fields["remaps"].keys() == {"120", "130"}
    assert faults(csv(head + "17;120=fall;130=smoke\n")) == [
        "row 2: 3 cells, the heading has 2; a cell with the separator in it needs quotes"
    ]


def test_every_bad_row_is_reported_with_row_column_value_and_reason() -> None:
    """One run shows everything that must be corrected, with the row numbers of a spreadsheet."""
    file = csv(
        "account,receiver,home,interval_s,key_name\n"
        "17,R1,H,15m,\n"
        '18,,"a\nhome",x,\n'
        "19,,H,1h,00112233445566778899aabbccddeeff\n"
        "20,,H\n"
        "20,,H,1h,ok\n"
    )

    assert faults(file) == [
        "row 2: column receiver: 'R1' should be 1 to 6 hex digits, without a leading R or L; empty for any",
        "row 3: column home: 'a\\nhome' should be at most 64 printable characters",
        "row 3: column interval_s: 'x' should be a duration such as 90s, 15m, 2h, 7d or 1h30m; 0 for none",
        f"row 4: column key_name: '(not shown)' {LOOKS_LIKE_A_KEY}",
        "row 5: 3 cells, the heading has 5",
    ]
    assert [entry.place.account for entry in file.entries] == ["20"]


def test_blanks_around_a_value_are_ignored() -> None:
    """This holds for each cell of a row, also beside a bad cell, and an empty cell may have blanks."""
    file = csv("account,interval_s,maker\n 17 , 15m ,  \n 18 , 1h , acme \n")

    assert file.entries == [AccountEntry(AccountKey("17"), {"interval_s": 900, "maker": None})]
    assert faults(file) == [
        "row 3: column maker: 'acme' should be one of ajax, climax, inim; empty if the codes are those of the standard"
    ]


def test_an_account_twice_in_one_file_is_a_fault() -> None:
    """The import cannot choose between two rows. Accounts may differ by line, but not only by case."""
    file = csv("account,line\nab,1\nAB,2\nAb,1\n")

    assert faults(file) == ["row 4: column account: 'Ab' is in row 2 already"]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (
            "home,interval",
            ["row 1: 'interval' unknown heading: did you mean interval_s?", "account: '' missing"],
        ),
        ("account,home,home", ["row 1: 'home' is a heading twice"]),
        ("account,x" + "y" * 70, ["unknown heading: there are account, receiver"]),
    ],
)
def test_a_wrong_header_is_reported(header: str, told: list[str]) -> None:
    """No row is read under a wrong header."""
    file = csv(f"{header}\n1,2,3\n")

    assert not file.entries
    assert len(file.faults) == len(told)
    for fault, words in zip(faults(file), told, strict=True):
        assert words in fault


def test_a_quote_that_never_ends_is_reported_where_it_begins() -> None:
    """The fault says that the rest of the file was not read."""
    file = csv('account,home\n1,H\n2,"H\n3,H\n')

    assert faults(file) == ["row 3: is not CSV: unexpected end of data; nothing after it was read"]


@pytest.mark.parametrize("form", ["lines", "array"])
def test_json_is_read_as_lines_or_as_one_array(form: str) -> None:
    """Numbers are numbers, null means a default, and texts are as in CSV."""
    items = [
        {"account": "0017", "clock_window": "-300..60", "interval_s": 900, "support_level": 2},
        {"account": "0018", "interval_s": "1h", "home": None},
    ]
    text = json.dumps(items) if form == "array" else "\n\n".join(map(json.dumps, items))

    file = read_json("\ufeff" + text)

    assert not file.faults
    assert file.entries == [
        AccountEntry(AccountKey("0017"), {"clock_window": ClockWindow(300, 60), "interval_s": 900, "support_level": 2}),
        AccountEntry(AccountKey("0018"), {"interval_s": 3600, "home": ""}),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "row 1: '(not shown)' is no JSON: "),
        ('{"account": "1"}\n{"account": 1 1}', "row 2: '(not shown)' is no JSON: "),
        ('"1234"', "row 1: '(not shown)' is no object"),
        ('[{"account": "1"}, 3]', "row 2: '(not shown)' is no object"),
        ('{"home": "H"}', "row 1: column account: '' missing column"),
        ('{"account": "1"}\n{"home": "H"}', "row 2: column account: '' is empty"),
        ('{"account": 123}', "row 1: column account: '123' is a number, which loses leading zeros"),
        ('{"account": "1", "interval_s": true}', "row 1: column interval_s: 'yes' is true or false, not a number"),
        ('{"account": "1", "remaps": {"120": "fall"}}', "row 1: column remaps: \"{'120': 'fall'}\" should be a word"),
        ('{"account": "1"}\n{"account": "2", "hom": "H"}', "row 2: 'hom' unknown heading: did you mean home?"),
        ('{"account": "1"}\n{"account": "1"}', "row 2: column account: '1' is in row 1 already"),
        ('{"account": "1", "account": "2"}', "row 1: '(not shown)' occurs twice in one object"),
    ],
)
def test_faults_of_json_are_reported_with_their_place(text: str, told: str) -> None:
    """The row is the line, or the item of an array."""
    (fault,) = faults(read_json(text))

    assert fault.startswith(told)


def test_a_list_that_breaks_off_is_refused() -> None:
    """No part of the list is imported."""
    with pytest.raises(UsageError, match="is no JSON"):
        read_json('[{"account": "1"},')


def test_empty_input_gives_no_account() -> None:
    """Empty input, the output of an empty list, gives no account and no fault."""
    assert read_json("\n") == read_json("[]") == AccountFile([], [], [])
