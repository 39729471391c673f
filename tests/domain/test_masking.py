"""What logs and the audit show of a telephone number."""

from __future__ import annotations

import pytest

from vetlla.domain.masking import masked_account


@pytest.mark.parametrize(
    ("account", "shown"),
    [
        ("tel:600000001", "tel:…001"),
        ("tel:+34600000001", "tel:…001"),
        ("tel:", "tel:"),
        ("1234", "1234"),
        ("867730040000001", "867730040000001"),
        ("call:1764405562.3", "call:1764405562.3"),
    ],
)
def test_of_a_telephone_number_the_last_digits_are_shown(account: str, shown: str) -> None:
    """Other accounts are names of terminals, which engineers need whole."""
    assert masked_account(account) == shown
