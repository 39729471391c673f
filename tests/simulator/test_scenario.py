from __future__ import annotations

import pytest

from vetlla.domain.accounts import Account
from vetlla.domain.errors import UsageError
from vetlla.simulator.scenario import Scenario
from vetlla.simulator.weights import Faults, Mix

HOME = Account(account="4C01")


def test_a_mix_sends_only_the_kinds_that_it_names() -> None:
    """A kind that the mix does not name gets no messages. A name without a number has the weight 1."""
    assert Mix.parse("alarms=5, tests") == Mix(alarms=5, technical=0, tests=1, heartbeats=0)


def test_mishaps_without_a_share_affect_one_message_in_ten() -> None:
    """Without a number, a mishap gets a tenth of the messages, and a storm one message per home."""
    assert Faults.parse("torn,retry=0.5,storm") == Faults(torn=0.1, retry=0.5, storm=1)


@pytest.mark.parametrize("text", ["alarm=5", "alarms=many", "alarms=-1", "=3"])
def test_a_mix_that_is_not_understood_names_what_it_may_contain(text: str) -> None:
    """A misspelt mix is refused, and the error lists the right names."""
    with pytest.raises(UsageError, match="heartbeats"):
        Mix.parse(text)


@pytest.mark.parametrize("text", ["", "alarms=0"])
def test_a_mix_needs_a_weight_above_zero(text: str) -> None:
    """A mix whose weights are all zero is refused."""
    with pytest.raises(UsageError, match="no weight"):
        Mix.parse(text)


@pytest.mark.parametrize("text", ["torn=2", "tron", "retry=nan"])
def test_mishaps_are_shares(text: str) -> None:
    """A mishap outside 0 to 1, or one that does not exist, is refused."""
    with pytest.raises(UsageError):
        Faults.parse(text)


def test_an_impossible_scenario_is_refused_before_it_starts() -> None:
    """A scenario without homes, with an unknown key, endless prebuilding or a storm without a rate is refused."""
    keyed = Account(account="4C02", key_name="terminal-4C02")
    with pytest.raises(UsageError, match="no home"):
        Scenario(host="127.0.0.1", port=9, accounts=(), keys={})
    with pytest.raises(UsageError, match="no key named terminal-4C02"):
        Scenario(host="127.0.0.1", port=9, accounts=(HOME, keyed), keys={})
    with pytest.raises(UsageError, match="prebuilt"):
        Scenario(host="127.0.0.1", port=9, accounts=(HOME,), keys={}, prebuilt=True)
    with pytest.raises(UsageError, match="storm"):
        Scenario(host="127.0.0.1", port=9, accounts=(HOME,), keys={}, faults=Faults(storm=1))
