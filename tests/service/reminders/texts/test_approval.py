"""Who agreed to a text, and to which words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.rigs.texts import text
from vetlla.service.reminders.texts.approval import (
    DIGITAL_SERVICES,
    ApprovalState,
    approve,
    consent_of,
    parties_of,
)

if TYPE_CHECKING:
    from vetlla.domain.approvals import Approval
    from vetlla.service.reminders.texts.text import Text

OFFICES = ("OGAT", "OMAC")
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def agreed(said: Text, *parties: str) -> list[Approval]:
    """Return the consent of some parties, by default of all."""
    return [approve(said, party, "Nom Cognom", NOW) for party in parties or (DIGITAL_SERVICES, *OFFICES)]


def test_a_text_for_all_needs_the_digital_services_and_both_offices() -> None:
    assert parties_of(text(), OFFICES) == (DIGITAL_SERVICES, "OGAT", "OMAC")


def test_a_text_of_one_office_needs_the_digital_services_and_that_office() -> None:
    assert parties_of(text(office="OMAC"), OFFICES) == (DIGITAL_SERVICES, "OMAC")


def test_a_text_is_approved_when_every_party_agreed_to_the_same_words() -> None:
    assert consent_of(text(), agreed(text()), OFFICES).standing is ApprovalState.APPROVED


def test_a_record_tells_who_of_which_office_agreed_when_and_to_which_version() -> None:
    (record,) = agreed(text(version=3), "OMAC")
    assert (record.person, record.party, record.at, record.version) == ("Nom Cognom", "OMAC", NOW, 3)
    assert record.digest == text().digest
    assert record.title == "ca sms reminder"


def test_a_text_without_consent_is_not_approved_and_the_missing_parties_are_named() -> None:
    found = consent_of(text(), agreed(text(), "OMAC"), OFFICES)
    assert (found.standing, found.missing) == (ApprovalState.NOT_APPROVED, (DIGITAL_SERVICES, "OGAT"))


def test_a_changed_text_must_be_approved_again() -> None:
    changed = text("Teniu cita {quan} a {oficina} avui.", version=2)
    found = consent_of(changed, agreed(text()), OFFICES)
    assert (found.standing, found.is_same_version) == (ApprovalState.CHANGED, False)
    assert consent_of(changed, agreed(text()) + agreed(changed), OFFICES).standing is ApprovalState.APPROVED


def test_a_text_that_was_changed_without_a_new_version_is_told() -> None:
    found = consent_of(text("Teniu cita {quan} a {oficina} avui."), agreed(text()), OFFICES)
    assert (found.standing, found.is_same_version) == (ApprovalState.CHANGED, True)


def test_going_back_to_approved_words_needs_no_new_consent() -> None:
    records = agreed(text()) + agreed(text("Altres paraules {quan} {oficina}"))
    assert consent_of(text(version=7), records, OFFICES).standing is ApprovalState.APPROVED


def test_consent_to_one_text_is_no_consent_to_another() -> None:
    for other in (text(language="es"), text(channel="whatsapp"), text(office="OMAC"), text(service="padro")):
        assert consent_of(other, agreed(text()), OFFICES).standing is ApprovalState.NOT_APPROVED


@pytest.mark.parametrize(
    "changed",
    [
        {"said": "Cita {quan} a {oficina} avui!"},
        {"sms_encoding": "fold"},
        {"replies": {"confirm": "SÍ"}},
        {"buttons": [{"label": "Sí", "action": "confirm"}]},
        {"procedure": True},
    ],
)
def test_the_digest_changes_with_everything_that_a_citizen_reads(changed: dict[str, object]) -> None:
    assert text(**changed).digest != text().digest  # type: ignore[arg-type]


def test_the_digest_does_not_change_with_version_template_and_switch() -> None:
    assert text(version=2, template="cita_v2", off=True).digest == text().digest


def test_two_spellings_of_an_accent_are_the_same_words() -> None:
    assert text("Cita {quan} a {oficina} avu\u00ed").digest == text("Cita {quan} a {oficina} avui\u0301").digest


def test_the_digest_of_a_text_stays_the_same_from_one_release_to_the_next() -> None:
    """Approvals are kept for years: a changed computation would end all of them."""
    assert text().digest == "316e682dc46557b9ae891ce76c1664d0824f0eb796b3216b98adcf08f43472fe"
