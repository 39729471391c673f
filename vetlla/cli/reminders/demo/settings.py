"""The settings of the demo, written into its directory as an operator would write them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from vetlla.domain.permissions import no_link
from vetlla.settings.reminders.load import load_reminders
from vetlla.settings.shipped import reminder_offices

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.settings.reminders.model import ReminderSettings
    from vetlla.simulator.messaging.sms.gateway import SmsGateway
    from vetlla.simulator.messaging.whatsapp.cloud import WhatsAppCloud
    from vetlla.simulator.qmatic.server import Orchestra

OFFICE: Final = """
[[office]]
source = "qmatic"
id = "{}"
poll_every_s = 2
"""
SETTINGS: Final = """# The settings of `vetlla reminders demo`.
state_dir = "{directory}"
offices_file = "{directory}/offices.toml"

[[source]]
name = "qmatic"
kind = "orchestra-calendar"
url = "{qmatic}"
access = {{ kind = "basic", user = "{user}", password_file = "{directory}/qmatic-password" }}
{offices}
[rules]
steps = [{{ name = "24h", hours = 24 }}, {{ name = "2h", hours = 2, only_unconfirmed = true }}]

[whatsapp]
phone_number_id = "{phone_number_id}"
business_id = "{business_id}"
token_file = "{directory}/whatsapp-token"
app_secret_file = "{directory}/whatsapp-app-secret"
verify_token_file = "{directory}/whatsapp-verify-token"
base_url = "{whatsapp}"

[sms]
kind = "twilio"
account = "{account}"
token_file = "{directory}/sms-token"
sender = "{sender}"
base_url = "{sms}"

[webhooks]
port = {port}
public_url = "http://127.0.0.1:{port}"

[pace]
send_s = 1
reply_s = 1
plan_s = 1
"""


def written(
    directory: Path, orchestra: Orchestra, whatsapp: WhatsAppCloud, sms: SmsGateway, port: int
) -> ReminderSettings:
    """Write the settings of the demo as an operator would, and return them."""
    secrets = {
        "qmatic-password": orchestra.doors.password,
        "whatsapp-token": whatsapp.account.token,
        "whatsapp-app-secret": whatsapp.account.app_secret,
        "whatsapp-verify-token": whatsapp.account.verify_token,
        "sms-token": sms.account.token,
    }
    for name, secret in secrets.items():
        with os.fdopen(no_link(directory / name, os.O_TRUNC), "w", encoding="utf-8") as kept:
            os.fchmod(kept.fileno(), 0o600)
            kept.write(f"{secret}\n")
    quoted = str(directory).replace("\\", "\\\\").replace('"', '\\"')  # as a text of TOML
    text = SETTINGS.format(
        directory=quoted,
        qmatic=orchestra.url,
        user=orchestra.doors.user,
        offices="".join(map(OFFICE.format, (office.id for office in orchestra.world.branches))),
        whatsapp=whatsapp.url,
        phone_number_id=whatsapp.account.phone_number_id,
        business_id=whatsapp.account.business_id,
        sms=sms.url,
        account=sms.account.sid,
        sender=sms.account.number,
        port=port,
    )
    details = reminder_offices().read_text(encoding="utf-8")
    for office in orchestra.world.branches:  # the example knows the offices by name, and Orchestra by number
        details = details.replace(f'id = "{office.name}"', f'id = "{office.id}"')
    (directory / "offices.toml").write_text(details, encoding="utf-8")
    file = directory / "reminders.toml"
    file.write_text(text, encoding="utf-8")
    return load_reminders(file)
