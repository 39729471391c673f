"""Makes the rules of the reminder service from its settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from vetlla.domain.messages import MessageKind
from vetlla.service.reminders.cancelling import CancelRules
from vetlla.service.reminders.decision import Policy
from vetlla.service.reminders.quiet import QuietHours
from vetlla.service.reminders.steps import RulesBook, Step, StepRules

if TYPE_CHECKING:
    from vetlla.settings.reminders.model import ReminderSettings
    from vetlla.settings.reminders.offices import OfficeSettings, RuleSettings


def book_of(settings: ReminderSettings) -> RulesBook:
    """Return the rules of all offices and procedures. What a table does not say, the one around it says."""
    offices: dict[str, StepRules] = {}
    services: dict[tuple[str, str], StepRules] = {}
    for office in settings.office:
        own = _inherited(office.rules, settings.rules)
        offices[office.id] = _step_rules(own)
        for service in office.service:
            services[office.id, service.id] = _step_rules(_inherited(service.rules, own))
    return RulesBook(_step_rules(settings.rules), offices, services)


def policy_of(settings: ReminderSettings) -> Policy:
    """Return what the city decided about channels and people."""
    given = settings.policy
    return Policy(
        whatsapp_needs_consent=given.whatsapp_needs_consent,
        channels=given.channels,
        cancellation_despite_opt_out=given.cancellation_despite_opt_out,
    )


def cancel_rules_of(office: OfficeSettings) -> CancelRules:
    """Return until when citizens may cancel at an office."""
    return CancelRules(cutoff=timedelta(hours=office.cancel_until_h), allows_late=office.cancels_late)


def _inherited(own: RuleSettings, around: RuleSettings) -> RuleSettings:
    return around.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


def _step_rules(given: RuleSettings) -> StepRules:
    quiet = given.quiet
    return StepRules(
        steps=tuple(
            Step(one.name, timedelta(hours=one.hours), one.only_unconfirmed, MessageKind(one.kind))
            for one in given.steps
        ),
        quiet=QuietHours(begin=quiet.begin, end=quiet.end, holidays=frozenset(quiet.holidays)),
        minimum_gap=timedelta(hours=given.minimum_gap_h),
        useful_before=timedelta(hours=given.useful_before_h),
        notices_useful_before=timedelta(hours=given.notices_useful_before_h),
        tells_changes=given.tells_changes,
        confirms_late_booking=given.confirms_late_booking,
    )
