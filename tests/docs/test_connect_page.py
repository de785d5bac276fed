"""The page on connecting names the settings that are read, by their names."""

from __future__ import annotations

import re
from pathlib import Path

from flyte_kit.configuration import platform
from flyte_kit.configuration.sources import Setting
from flyte_kit.storage import s3_settings

PAGE = (Path(__file__).parents[2] / "docs/howto/connect-a-client.md").read_text()
SETTINGS = [each for module in (platform, s3_settings) for each in vars(module).values() if isinstance(each, Setting)]
ELSEWHERE = {"FLYTE_DEFAULT_PROJECT", "FLYTE_DEFAULT_DOMAIN"}


def test_every_variable_of_the_page_is_read() -> None:
    known = {setting.variable for setting in SETTINGS} | ELSEWHERE
    assert set(re.findall(r"`(FLYTE_[A-Z_]+)`", PAGE)) - {"FLYTE_"} <= known


def test_every_setting_of_a_login_and_a_connection_is_on_the_page() -> None:
    keys = [
        setting.key for setting in SETTINGS if setting.key and setting.key.startswith(("admin.", "console.", "task."))
    ]
    assert [key for key in keys if key not in PAGE] == []


def test_every_way_to_log_in_of_the_page_is_one() -> None:
    ways = re.findall(r"^\| `(\w+)`.* \| [a-z`].* \|$", PAGE.split("## Logins")[1], re.MULTILINE)
    assert ways[1:] == ["Pkce", "DeviceFlow", "ClientSecret", "ExternalCommand"]
    assert set(ways[1:]) <= {way.value for way in platform.AuthType}
