"""The dialects in which Orchestra complains."""

from __future__ import annotations

import pytest

from tests.rigs.qmatic import recorded
from vetlla.gateways.qmatic.complaints import complaint_of


@pytest.mark.parametrize(
    ("name", "code", "gone"), [("calendar-gone", "E142", True), ("calendar-slot-taken", "E440", False)]
)
def test_the_code_is_in_the_headers_of_a_500(name: str, code: str, gone: bool) -> None:  # noqa: FBT001
    shown = recorded(name)
    found = complaint_of(shown["status"], shown["headers"], b"<html>Internal Server Error</html>")
    assert (found.status, found.code, found.is_gone) == (500, code, gone)


def test_headers_count_before_the_body() -> None:
    body = b'{"code": "8058", "message": "of the body"}'
    assert complaint_of(500, {"error_code": "E142", "error_message": "of the header"}, body).told == (
        "HTTP 500, E142: of the header"
    )
    assert complaint_of(500, {}, body).told == "HTTP 500, 8058: of the body"


def test_the_names_of_the_headers_may_be_written_in_any_way() -> None:
    """A gateway may write them with capital letters, or with the hyphen that other servers require."""
    assert complaint_of(500, {"Error_Code": "E142"}, b"").code == "E142"
    assert complaint_of(500, {"error-code": "8057"}, b"").is_gone


def test_404_means_gone_unless_a_code_says_otherwise() -> None:
    assert complaint_of(404, {}, b"").is_gone
    assert not complaint_of(404, {"error_code": "E440"}, b"").is_gone
    assert not complaint_of(500, {"error_code": "8058"}, b"").is_gone
    assert not complaint_of(500, {}, b"").is_gone


def test_a_message_is_repeated_without_numbers_and_not_for_ever() -> None:
    found = complaint_of(500, {"error_message": "customer +34600000001 \x1b[31m" + "x" * 900}, b"")
    assert "600000001" not in found.told
    assert "\x1b" not in found.told
    assert len(found.told) < 250


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"7", b"\xff\xfe", b"[" * 100_000, b'{"code": true, "message": 7}']
)
def test_a_body_that_says_nothing_is_no_exception(body: bytes) -> None:
    assert complaint_of(503, {}, body).told == "HTTP 503"
