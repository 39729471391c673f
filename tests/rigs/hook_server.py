"""A web server in threads of its own, to which a receiver in another process posts signals."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE_S = 60.0


@dataclass
class HookServer:
    """Keeps the signals that were posted, in the order in which they came."""

    port: int = 0
    signals: list[dict[str, Any]] = field(default_factory=list)
    """Signals of the requests that were answered 200, with repetitions."""
    requests: int = 0
    answer: Callable[[list[dict[str, Any]]], int] = lambda _: 200
    """Returns the status of the answer to these signals; it is called before the answer is sent."""
    changed: Condition = field(default_factory=Condition)

    def take(self, body: bytes) -> int:
        """Return the status of an answer."""
        signals = json.loads(body)["signals"]
        status = self.answer(signals)
        with self.changed:
            self.requests += 1
            if status == 200:
                self.signals += signals
            self.changed.notify_all()
        return status

    def wait_for(self, fits: Callable[[], bool]) -> None:
        """Wait until the condition is true after a request."""
        with self.changed:
            assert self.changed.wait_for(fits, PATIENCE_S), (self.requests, len(self.signals))

    @property
    def numbers(self) -> list[int]:
        """Numbers of the signals without repetitions, in the order in which they came first."""
        return list(dict.fromkeys(one["number"] for one in self.signals))

    def table(self, directory: Path, **settings: object) -> str:
        """Return the [[sink]] table that posts to this server; it writes the key file."""
        key = directory / "hook.key"
        key.write_text(base64.b64encode(b"k" * 32).decode(), encoding="utf-8")
        key.chmod(0o600)
        values = {"kind": "webhook", "name": "city", "url": f"http://127.0.0.1:{self.port}/hook"} | settings
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        return "\n".join(["[[sink]]", *lines, f'key_files = ["{key}"]', ""])


@contextmanager
def hook_server() -> Iterator[HookServer]:
    """Run a server during the block."""
    hook = HookServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            status = hook.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        hook.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join(PATIENCE_S)
