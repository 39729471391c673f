"""Settings of ``[log]``, which each daemon has."""

from enum import StrEnum

from vetlla.settings.section import Section


class LogFormat(StrEnum):
    """Format of log lines; AUTO writes readable lines to a terminal and JSON elsewhere."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """The lowest level of log lines that are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(Section):
    """What is written to stderr."""

    format: LogFormat = LogFormat.AUTO
    level: LogLevel = LogLevel.INFO
