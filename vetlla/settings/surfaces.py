"""Settings of where monitoring and the people of the service reach the receiver."""

from typing import Annotated

from pydantic import Field

from vetlla.settings.section import Host, Port, Section, Word


class HttpSettings(Section):
    """Where ``/healthz``, ``/readyz`` and ``/metrics`` are served; ``port`` 0 picks a free one."""

    enabled: bool = True
    host: Host = "127.0.0.1"
    port: Port = 9109


class ControlSettings(Section):
    """Who may use the control socket. Every user who can open the socket has the roles without a group."""

    operators: Word | None = None
    """Unix group whose members may work on alarms."""
    supervisors: Word | None = None
    """Unix group whose members may also take over and hand over alarms of others."""
    engineers: Word | None = None
    """Unix group whose members may put accounts on test and reload the configuration."""
    mode: Annotated[int, Field(ge=0o600, le=0o777)] = 0o660
    """Permissions of the socket."""
