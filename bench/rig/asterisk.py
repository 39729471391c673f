"""A real Asterisk in a chroot of its own, with its own network and mounts. It needs root and mmdebstrap.

Debian 12 has no Asterisk, so the chroot is of unstable. The machine's own sources of packages are used; their
signatures are checked, their dates are not, because a mirror may be older than its stamps allow.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

BUILD_S: Final = 540.0
READY_S: Final = 60.0
CONFIG: Final = Path(__file__).parents[2] / "config" / "asterisk"
SPOOL: Final = "var/spool/vetlla/alarms"
"""The directory of the documented configuration, without the root of the file system."""
RECORDED: Final = "var/spool/vetlla"
MODULES: Final = (
    "app_alarmreceiver", "pbx_config", "pbx_spool", "app_senddtmf", "app_record", "func_callerid", "func_env",
    "func_strings", "format_wav", "codec_ulaw", "codec_alaw", "res_timing_timerfd",
)  # fmt: skip
PANEL: Final = f"""
[general]
static = yes
#include "/etc/asterisk/vetlla-alarms.conf"
[panel]
; It waits for the handshake, sends its event, and records what comes afterwards: the kissoff.
exten => event,1,Answer()
 same => n,Wait(1.9)
 same => n,SendDTMF(1234181131010158,60,60)
 same => n,Set(FILE(/{RECORDED}/record-start,,,l,u)=${{STRFTIME(,,%s.%3q)}})
 same => n,Record(/{RECORDED}/kissoff.wav,0,3,qx)
 same => n,Hangup()
; It sends too few digits, as over a line that loses some.
exten => damaged,1,Answer()
 same => n,Wait(1.9)
 same => n,SendDTMF(12341811,60,60)
 same => n,Wait(3)
 same => n,Hangup()
"""


class Asterisk:
    """One Asterisk over a chroot."""

    _process: subprocess.Popen[bytes]

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spool = root / SPOOL

    def build(self) -> None:
        """Make the chroot, unless there is one. Raises CalledProcessError if mmdebstrap fails."""
        if (self.root / "usr" / "sbin" / "asterisk").exists():
            return
        old = ('--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=Acquire::Check-Date "false"')
        command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=asterisk", *old, "sid", str(self.root)]
        subprocess.run(command, check=True, timeout=BUILD_S)

    def configure(self) -> None:
        """Install the configuration of the handbook, and a panel that calls it."""
        etc = self.root / "etc" / "asterisk"
        shutil.copyfile(CONFIG / "alarmreceiver.conf", etc / "alarmreceiver.conf")
        shutil.copyfile(CONFIG / "extensions.conf", etc / "vetlla-alarms.conf")
        (etc / "extensions.conf").write_text(PANEL, encoding="utf-8")
        loads = "".join(f"load => {module}.so\n" for module in MODULES)
        (etc / "modules.conf").write_text(f"[modules]\nautoload = no\n{loads}", encoding="utf-8")
        (self.root / "run" / "asterisk").mkdir(parents=True, exist_ok=True)
        self.spool.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start it, and wait until it takes calls. Raises TimeoutError."""
        command = ["unshare", "--net", "--mount", "chroot", str(self.root), "asterisk", "-f", "-n"]
        with (self.root / "var" / "log" / "asterisk" / "console").open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        await_that(lambda: "System uptime" in self.ask("core show uptime"), READY_S, "Asterisk takes no commands")

    def version(self) -> str:
        """Return its version."""
        asked = ["chroot", str(self.root), "asterisk", "-V"]
        return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=READY_S).stdout.strip()

    def ask(self, command: str) -> str:
        """Return what a command of its console prints; "" while it does not answer."""
        asked = ["chroot", str(self.root), "asterisk", "-n", "-rx", command]
        return subprocess.run(asked, capture_output=True, text=True, check=False, timeout=READY_S).stdout

    def call(self, extension: str, number: str) -> None:
        """Let the panel call AlarmReceiver() from a number."""
        outgoing = self.root / "var" / "spool" / "asterisk" / "outgoing"
        caller = f'Channel: Local/100@alarms/n\nCallerID: "Casa" <{number}>\nMaxRetries: 0\n'
        file = outgoing.parent / f"{number}.call"
        file.write_text(f"{caller}Context: panel\nExtension: {extension}\nPriority: 1\n", encoding="utf-8")
        file.rename(outgoing / file.name)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(READY_S)


def await_that(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until a condition is true. Raises TimeoutError with a text."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)
