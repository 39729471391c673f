"""Settings are loaded from files, conf.d and options; errors tell the operator what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from vetlla.domain.accounts import UnknownPolicy
from vetlla.domain.errors import ConfigError, UsageError
from vetlla.domain.signals import Kind, Priority
from vetlla.settings.files import files
from vetlla.settings.listen import Listen
from vetlla.settings.load import load
from vetlla.settings.log import LogLevel
from vetlla.settings.model import Settings
from vetlla.settings.queue import QueueSettings

LISTENER = '[[listen]]\nprotocol = "dc09"\nhost = "127.0.0.1"\nport = 0\n'
SPOOL = '[[spool]]\nname = "pbx"\n'
SPOOL_IN_USE = f'{SPOOL}directory = "/var/spool/a"\n'
BROKER = '[[mqtt]]\nhost = "127.0.0.1"\nnode = "arc-1"\n'


def written(folder: Path, text: str, *more: str) -> Path:
    """Write vetlla.toml and conf.d/0.toml, 1.toml ...; return the former's path."""
    file = folder / "vetlla.toml"
    file.write_text(text, encoding="utf-8")
    for number, part in enumerate(more):
        (folder / "conf.d").mkdir(exist_ok=True)
        (folder / "conf.d" / f"{number}.toml").write_text(part, encoding="utf-8")
    return file


def refused(file: Path) -> ConfigError:
    """Return the error with which the loading of a file fails."""
    with pytest.raises(ConfigError) as caught:
        load(file)
    return caught.value


def test_without_a_file_the_defaults_hold() -> None:
    """Options alone are enough for settings, so a receiver can be tried without a file."""
    settings = load(None, state_dir=Path("/srv/vetlla"), listen=["dc09=127.0.0.1:0"])

    assert settings.state_dir == Path("/srv/vetlla")
    assert settings.keys_file == Path("/srv/vetlla/keys.toml")
    assert settings.listen == (Listen(protocol="dc09", host="127.0.0.1", port=0),)
    assert settings.listen[0].name == "dc09"
    assert settings.limits.connections == 20_000
    assert settings.intake.unknown_accounts is UnknownPolicy.ACCEPT


def test_values_are_of_our_types(tmp_path: Path) -> None:
    """Texts become paths, enumerations, tuples and priorities by name."""
    file = written(
        tmp_path,
        'state_dir = "/srv/v"\n[[listen]]\nprotocol = "dc09"\nhost = "::1"\nport = 9\ntransports = ["tcp"]\n'
        'tls = { certificate = "/c.pem", key = "/k.pem" }\n'
        '[queue.priorities]\nfall = "LIFE"\n[log]\nlevel = "debug"\n[control]\nmode = 0o600\n',
    )

    settings = load(file)

    assert settings.listen[0].address == "[::1]:9"
    assert settings.listen[0].tls
    assert settings.listen[0].tls.key == Path("/k.pem")
    assert settings.queue.priorities == {Kind.FALL: Priority.LIFE}
    assert settings.log.level is LogLevel.DEBUG
    assert settings.control.mode == 0o600


def test_settings_cannot_be_changed() -> None:
    """A reload makes new settings; the old ones cannot be changed."""
    settings = Settings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.state_dir = Path("/elsewhere")  # type: ignore[misc]  # what the test is about


def test_settings_are_made_in_code_of_the_same_types() -> None:
    """A file gives texts; a test or a third party's program gives values of the final types."""
    assert QueueSettings(priorities={Kind.FALL: Priority.LIFE}).priorities == {Kind.FALL: Priority.LIFE}


def test_conf_d_is_read_after_the_file_in_the_order_of_names(tmp_path: Path) -> None:
    """Tables merge, a later value replaces an earlier one, and listeners append."""
    second = LISTENER.replace('"dc09"', '"dc09"\nname = "backup"')
    file = written(
        tmp_path,
        LISTENER + "[limits]\nconnections = 5\nbogus_frames = 3\n",
        "[limits]\nconnections = 6\n",
        second + "[limits]\nconnections = 7\n",
    )
    (tmp_path / "conf.d" / "2.toml.rpmsave").write_text("not even TOML", encoding="utf-8")

    settings = load(file)

    assert [part.name for part in files(file)] == ["vetlla.toml", "0.toml", "1.toml"]
    assert (settings.limits.connections, settings.limits.bogus_frames) == (7, 3)
    assert [listen.name for listen in settings.listen] == ["dc09", "backup"]


def test_listeners_of_the_command_line_leave_the_brokers_out(tmp_path: Path) -> None:
    """A receiver that is started by hand beside the service does not take the service's session at the broker."""
    file = written(tmp_path, LISTENER + BROKER)

    assert [broker.node for broker in load(file).mqtt] == ["arc-1"]
    assert load(file, listen=["dc09=127.0.0.1:0"]).mqtt == ()


def test_a_shared_session_ends_soon(tmp_path: Path) -> None:
    """The broker soon stops sending events to a receiver of the group that never comes back."""
    alone = load(written(tmp_path, BROKER + "session_expiry_s = 3600"))
    shared = load(written(tmp_path, BROKER + "session_expiry_s = 3600\nshare = 'arc'"))
    assert (alone.mqtt[0].session_s, shared.mqtt[0].session_s) == (3600, 10)


def test_recovery_follows_the_watermark() -> None:
    """If only the lower watermark is set, the upper one is a quarter above it."""
    store = Settings.model_validate({"store": {"min_free_mib": 101}}).store

    assert store.recover_free_mib == 127


def test_the_systemd_credential_takes_precedence_over_the_state_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys come from the credential that the unit loads, if there is one."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert Settings().keys_file == Path("/var/lib/vetlla/keys.toml")
    assert Settings().cards_key_file == Path("/var/lib/vetlla/cards.toml")

    (tmp_path / "vetlla-keys").touch()
    assert Settings().keys_file == tmp_path / "vetlla-keys"
    assert Settings().cards_key_file == Path("/var/lib/vetlla/cards.toml")
    (tmp_path / "vetlla-cards").touch()
    assert Settings().cards_key_file == tmp_path / "vetlla-cards"


@pytest.mark.parametrize(
    ("text", "key", "what", "remedy"),
    [
        ("[limits]\nconections = 1", "limits.conections", "unknown key", 'did you mean "connections"?'),
        ("bogus_frames = 1", "bogus_frames", "unknown key", "it belongs under [limits]"),
        ("[zzz]\nx = 1", "zzz", "unknown key", "docs/configuration.md"),
        ("[limits]\nconnections = true", "limits.connections", "valid integer, not true", ""),
        ("[limits]\nconnections = 0", "limits.connections", "greater than or equal to 1, not 0", ""),
        ("[limits]\nidle_timeout_s = inf", "limits.idle_timeout_s", "finite number", ""),
        ("[limits]\nidle_timeout_s = 2026-01-01", "limits.idle_timeout_s", 'not "2026-01-01"', ""),
        ('[http]\nport = "9109"', "http.port", 'valid integer, not "9109"', ""),
        ("limits = 3", "limits", "not 3", ""),
        ("listen = 3", "listen", "not 3", ""),
        ('state_dir = "var"', "state_dir", 'absolute path, not "var"', ""),
        ('[log]\nformat = "jsn"', "log.format", 'not "jsn"', 'did you mean "json"?'),
        ('[log]\nlevel = "42"', "log.level", 'not "42"', "choose one of: debug, info, warning, error"),
        ('[queue.priorities]\nflal = "LIFE"', "queue.priorities.flal", "not an allowed word", 'did you mean "fall"?'),
        ('[queue.priorities]\nfall = "LIVE"', "queue.priorities.fall", "one of LIFE, HOME_RISK", ""),
        ("[queue]\nt3_warn_s = 40", "queue", "t3_warn_s should not be above t3_max_s", ""),
        ("[store]\nrecover_free_mib = 1", "store", "recover_free_mib should not be below min_free_mib", ""),
        (LISTENER + "tls = { key = '/k' }", "listen[1].tls.certificate", "is missing", "add certificate"),
        (LISTENER + "hots = 1", "listen[1].hots", "unknown key", 'did you mean "host"?'),
        (LISTENER + LISTENER, "", "two listeners are called 'dc09'", ""),
        (LISTENER + "transports = ['tcp', 'tcp']", "listen[1].transports", "should name tcp, udp, or both", ""),
        (LISTENER + "transports = []", "listen[1].transports", "should name tcp, udp, or both", ""),
        (LISTENER + "transports = ['tpc']", "listen[1].transports[1]", 'not "tpc"', 'did you mean "tcp"?'),
        (LISTENER + "transports = ['udp']\ntls = {certificate = '/c', key = '/k'}", "listen[1]", "applies to tcp", ""),
        ("[[mqtt]]\nhost = 'b'", "mqtt[1].node", "is missing", "add node"),
        (BROKER + "port = 0", "mqtt[1].port", "greater than or equal to 1, not 0", ""),
        (BROKER + "share = 'a/b'", "mqtt[1].share", "should match", ""),
        (BROKER + "tls = { ca = '/a', key = '/k' }", "mqtt[1].tls", "certificate and key belong together", ""),
        (BROKER + "password_file = '/p'", "mqtt[1]", "password_file needs a username", ""),
        (BROKER + "pasword_file = '/p'", "mqtt[1].pasword_file", "unknown key", 'did you mean "password_file"?'),
        (BROKER + BROKER, "", "two listeners are called 'mqtt'", ""),
        (LISTENER + BROKER + "name = 'dc09'", "", "two listeners are called 'dc09'", ""),
        ("[[spool]]\nname = 'a'", "spool[1].directory", "is missing", "add directory"),
        (SPOOL + "directory = 'a'", "spool[1].directory", "absolute path", ""),
        (SPOOL_IN_USE + "done = 'forget'", "spool[1].done", "'keep' or 'delete'", ""),
        (SPOOL_IN_USE + LISTENER + "name = 'pbx'", "", "two listeners are called 'pbx'", ""),
        (SPOOL_IN_USE + SPOOL_IN_USE.replace("pbx", "pbx-2"), "", "two spools have the directory /var/spool/a", ""),
        (LISTENER.replace("127.0.0.1", "[::1]"), "listen[1].host", "should be an address or a host name", ""),
        (
            LISTENER.replace("port = 0", "port = 9") + LISTENER.replace("port = 0", "port = 9\nname = 'b'"),
            "",
            "'dc09' and 'b' both listen on tcp 127.0.0.1:9",
            "",
        ),
    ],
)
def test_a_fault_names_file_key_what_and_remedy(tmp_path: Path, text: str, key: str, what: str, remedy: str) -> None:
    """The error says which key of which file to change, and how."""
    file = written(tmp_path, text)

    error = refused(file)

    message = error.args[0]
    assert message.startswith(f"{file}: {key}: " if key else f"{file}: ")
    assert what in message
    assert remedy in error.remedy
    assert error.remedy


def test_all_faults_are_reported_at_once_each_with_its_own_file(tmp_path: Path) -> None:
    """One error lists all faults. A listener is counted within its file."""
    file = written(tmp_path, LISTENER + "[limits]\nconections = 1\n", LISTENER.replace("port = 0", "port = -1"))

    message = refused(file).args[0]

    assert message.startswith("2 settings cannot be used")
    assert f'{file}: limits.conections: unknown key (did you mean "connections"?)' in message
    assert f"{tmp_path}/conf.d/0.toml: listen[1].port: should be greater than or equal to 0, not -1" in message


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"port = ", "not TOML: Invalid value (at end of document)"),
        (b"[limits\n", "not TOML"),
        (b"[limits]\n[limits]\n", "not TOML: Cannot declare"),
        (b'host = "\xe9"', "byte 8 is not UTF-8"),
    ],
)
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, content: bytes, what: str) -> None:
    """The error says that a file is broken or has a wrong encoding, and where."""
    file = tmp_path / "vetlla.toml"
    file.write_bytes(content)

    error = refused(file)

    assert error.args[0].startswith(f"{file}: ")
    assert what in error.args[0]
    assert error.remedy


def test_a_missing_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    """A daemon with a configured file does not start with the defaults instead."""
    error = refused(tmp_path / "none.toml")

    assert error.args[0] == f"{tmp_path}/none.toml: no such file"
    assert "config/vetlla.toml" in error.remedy


def test_a_path_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A directory in place of a file, or a file in place of conf.d, is an error and is not ignored."""
    (tmp_path / "conf.d").touch()
    file = written(tmp_path, "")
    assert "conf.d: Not a directory" in refused(file).args[0]

    (tmp_path / "conf.d").unlink()
    assert "Is a directory" in refused(tmp_path).args[0]


def test_options_take_precedence_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--listen replaces the file's listeners; --state-dir may be relative to the current directory."""
    monkeypatch.chdir(tmp_path)
    file = written(tmp_path, 'state_dir = "/srv/v"\n' + LISTENER)

    settings = load(file, state_dir=Path("var"), listen=["dc09=[::1]:0", "dc09=127.0.0.1:7", "gsmip=localhost:0"])

    assert settings.state_dir == tmp_path / "var"
    assert [(listen.name, listen.address) for listen in settings.listen] == [
        ("dc09", "[::1]:0"),
        ("dc09-2", "127.0.0.1:7"),
        ("gsmip", "localhost:0"),
    ]


@pytest.mark.parametrize("option", ["dc09", "dc09=", "=h:1", "dc09=:1", "dc09=h", "dc09=h:", "dc09=h:x", "dc09=h:-1"])
def test_a_listen_option_of_another_form_is_refused(option: str) -> None:
    """The message shows the correct form."""
    with pytest.raises(UsageError, match=r"not PROTOCOL=HOST:PORT\n  -> write it like dc09=0.0.0.0:9009"):
        load(None, listen=[option])


@pytest.mark.parametrize(("option", "key"), [("dc09=h:65536", "port"), ("dc09=a b:1", "host")])
def test_a_listen_option_out_of_bounds_is_refused(option: str, key: str) -> None:
    """An option has the same bounds as a file."""
    with pytest.raises(UsageError, match=f"--listen {option}: {key} should be"):
        load(None, listen=[option])


# --- retention --------------------------------------------------------------------------------------------------------


def test_nothing_in_use_can_be_removed(tmp_path: Path) -> None:
    """Each time that is shorter than the windows is refused, with the shortest allowed one; 0 means for ever."""
    for name in ("signals_days", "raw_days", "rejects_days", "positions_days"):
        file = written(tmp_path, f"[retention]\n{name} = 1\n[queue]\nchain_window_s = 85_500\n")
        error = refused(file)
        assert "store.duplicate_window_s and queue.chain_window_s" in str(error)
        assert "for at least 2 days" in str(error)
        load(written(tmp_path, f"[retention]\n{name} = 2\n[queue]\nchain_window_s = 85_500\n"))
        load(written(tmp_path, f"[retention]\n{name} = 0\n[queue]\nchain_window_s = 85_500\n"))


@pytest.mark.parametrize("days", ["-1", "36_526", "1.5", '"30"', "true"])
def test_retention_is_in_whole_days(tmp_path: Path, days: str) -> None:
    """Retention is at most a century and has no fraction."""
    assert "retention.positions_days" in str(refused(written(tmp_path, f"[retention]\npositions_days = {days}\n")))
