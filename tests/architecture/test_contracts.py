"""The import contracts hold, cover every module, and would notice a breach."""

import os
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

CONFIG = ROOT / ".importlinter"
SEEN_BY_PLATFORMS = {
    "events",
    "messages",
    "outgoing_files",
    "errors",
    "clock",
    "logs",
    "platform_api",
    "installations_api",
    "places_api",
    "forms_api",
    "people_api",
    "markdown",
    "web",
}
"""Of `web`, only `web.routes`; `web.server` is listed by itself."""

BREACHES = {
    "bridge/errors.py": "import bridge.store",
    "bridge/pacing.py": "import bridge.answers\nimport sqlalchemy",
    "bridge/clock.py": "import aiohttp",
    "bridge/logs.py": "import adapters.slack.settings",
    "bridge/router.py": "import aiohttp",
    "bridge/app.py": "import bridge.playground",
    "bridge/backends/other/__init__.py": "import bridge.backends.dify.settings",
    "adapters/slack/markup.py": "import bridge.turns\nimport adapters.discord.markup",
}


def contracts() -> dict[str, dict[str, str]]:
    parser = ConfigParser()
    parser.read(CONFIG)
    return {name: dict(parser[name]) for name in parser.sections() if name.startswith("importlinter:contract:")}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs the very command that `make check` runs."""
    command = Path(sys.executable).parent / "lint-imports"
    environment = os.environ | {"COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(
        [command, "--no-cache"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_every_contract_holds() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(contracts())} kept, 0 broken" in result.stdout


def test_each_contract_notices_a_breach(tmp_path: Path) -> None:
    for package in ("bridge", "adapters"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CONFIG, tmp_path)
    for name, breach in BREACHES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text((path.read_text() if path.exists() else "") + f"\n{breach}\n")
    result = lint(tmp_path)
    held = re.findall(r"^(.+) KEPT", result.stdout, re.MULTILINE)
    assert held == [], result.stdout + result.stderr
    assert f"0 kept, {len(contracts())} broken" in result.stdout


def test_a_module_without_a_place_in_the_layers_is_refused(tmp_path: Path) -> None:
    for package in ("bridge", "adapters"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CONFIG, tmp_path)
    (tmp_path / "bridge" / "newcomer.py").write_text("")
    result = lint(tmp_path)
    assert result.returncode != 0
    assert "newcomer" in result.stdout


@pytest.mark.parametrize("path", sorted((ROOT / "bridge").iterdir()), ids=lambda path: path.name)
def test_every_module_of_the_bridge_is_open_or_closed_to_platforms_on_purpose(path: Path) -> None:
    if path.name.startswith(("_", ".")):
        return
    closed = contracts()["importlinter:contract:platforms-see-the-seam"]["forbidden_modules"].split()
    assert (f"bridge.{path.stem}" in closed) != (path.stem in SEEN_BY_PLATFORMS)
