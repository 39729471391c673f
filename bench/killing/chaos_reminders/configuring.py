"""The configuration of the service for one town."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.settings.shipped import reminder_offices

if TYPE_CHECKING:
    from pathlib import Path

    from bench.killing.chaos_reminders.town import Town

SETTINGS: Final = """
state_dir = "{directory}/state"
offices_file = "{directory}/offices.toml"
[[source]]
name = "orchestra"
kind = "orchestra-calendar"
url = "{orchestra}"
access = {{ kind = "basic", user = "{user}", password_file = "{directory}/orchestra-password" }}
answer_s = 2
whole_s = 5
[[office]]
source = "orchestra"
id = "1"
poll_every_s = 1
[rules]
steps = [{{ name = "20h", hours = 20 }}]
quiet = {{ begin = "23:59:59", end = "00:00:00" }}
minimum_gap_h = 0
useful_before_h = 0
[policy]
whatsapp_needs_consent = false
[whatsapp]
phone_number_id = "{phone_number_id}"
business_id = "{business_id}"
token_file = "{directory}/whatsapp-token"
app_secret_file = "{directory}/whatsapp-app-secret"
verify_token_file = "{directory}/whatsapp-verify-token"
base_url = "{cloud}"
conversations_in_24h = 100000
per_second = 50
[sms]
kind = "twilio"
account = "{account}"
token_file = "{directory}/sms-token"
sender = "{sender}"
base_url = "{sms}"
per_second = 50
[webhooks]
port = {port}
public_url = "{public}"
[pace]
send_s = 1
reply_s = 1
plan_s = 1
[log]
format = "json"
level = "info"
"""


def configure(town: Town, directory: Path, port: int) -> None:
    """Write the service's settings and secrets for a town, whose proxy calls the service at this port."""
    meta, account, doors = town.cloud.account, town.sms.account, town.orchestra.doors
    words = {
        "orchestra-password": doors.password,
        "whatsapp-token": meta.token,
        "whatsapp-app-secret": meta.app_secret,
        "whatsapp-verify-token": meta.verify_token,
        "sms-token": account.token,
    }
    for name, word in words.items():
        file = directory / name
        file.write_text(f"{word}\n", encoding="utf-8")
        file.chmod(0o400)
    offices = reminder_offices().read_text(encoding="utf-8").replace('id = "OMAC"', 'id = "1"')
    (directory / "offices.toml").write_text(offices, encoding="utf-8")
    settings = SETTINGS.format(
        directory=directory,
        orchestra=town.orchestra.url,
        user=doors.user,
        phone_number_id=meta.phone_number_id,
        business_id=meta.business_id,
        cloud=town.cloud.url,
        account=account.sid,
        sender=account.number,
        sms=town.sms.url,
        port=port,
        public=town.proxy_url,
    )
    (directory / "reminders.toml").write_text(settings, encoding="utf-8")
