"""Settings of what the receiver accepts."""

from vetlla.domain.accounts import PlainPolicy, UnknownPolicy
from vetlla.settings.section import Section


class IntakeSettings(Section):
    """Which reports the receiver accepts."""

    unknown_accounts: UnknownPolicy = UnknownPolicy.ACCEPT
    """Whether a report from an unregistered account is put before an operator or refused."""
    plain_for_keyed: PlainPolicy = PlainPolicy.REFUSE
    """Whether an unencrypted frame from an account with a key is accepted or refused."""
