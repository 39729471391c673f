"""``vetlla reminders simulate-qmatic``, as a person calls it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request

import pytest

COMMAND = [sys.executable, "-m", "vetlla", "reminders", "simulate-qmatic"]
SMALL = ["--offices", "1", "--per-day", "3", "--days", "7", "--seed", "7"]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=60, check=False)


def test_it_says_where_it_listens_and_how_to_get_in() -> None:
    done = run(*SMALL, "--for", "0.1", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["url"].startswith("http://127.0.0.1:")
    assert (shown["seed"], shown["appointments"]) == (7, 15)
    assert [one["name"] for one in shown["offices"]] == ["OMAC"]


def test_it_answers_until_it_is_told_to_stop() -> None:
    with subprocess.Popen([*COMMAND, *SMALL, "--json"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        shown = json.loads(process.stdout.readline())
        request = urllib.request.Request(
            f"{shown['url']}/rest/appointment/branches", headers={"auth-token": shown["auth_token"]}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer) == [{"id": 1, "name": "OMAC"}]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def test_a_person_sees_the_same_without_json() -> None:
    done = run(*SMALL, "--for", "0.1", "--fault", "time_form=epoch", "--fault", "empty_list=true", "--fault", "left=3")
    assert done.returncode == 0, done.stderr
    assert "with 15 appointments" in done.stdout
    assert "curl -X PATCH http://127.0.0.1:" in done.stdout


@pytest.mark.parametrize("fault", ["no_such=1", "time_form=x", "time_form", "delay_s=soon", "=1"])
def test_a_fault_that_does_not_exist_is_a_mistake_of_the_call(fault: str) -> None:
    done = run("--for", "0.1", "--fault", fault)
    assert done.returncode == 64
    assert "faults are: time_form, gone," in done.stderr
