"""The image's recipe. No engine is needed: it is linted and read."""

import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from bridge.settings import Settings
from tests.docker.dockerfile import Stage, read

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "docker" / "Dockerfile"


@pytest.fixture(name="stages")
def read_stages() -> list[Stage]:
    return read(DOCKERFILE)[1]


@pytest.fixture(name="final")
def read_final(stages: list[Stage]) -> Stage:
    return stages[-1]


def variables(stage: Stage) -> dict[str, str]:
    return dict(re.findall(r"([A-Z_]+)=(\S+)", " ".join(stage.all("ENV"))))


def is_sent(path: str) -> bool:
    """Whether .dockerignore lets a path of ours into the build; its last matching line wins."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.lstrip("!").removeprefix("**/")
        parts = [path, *(parent.as_posix() for parent in Path(path).parents), Path(path).name]
        if line and not line.startswith("#") and any(fnmatch(part, pattern) for part in parts):
            sent = line.startswith("!")
    return sent


def test_hadolint_has_nothing_to_say() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    result = subprocess.run(
        [linter, "--failure-threshold", "info", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_every_stage_has_the_same_pinned_python_which_we_support(stages: list[Stage]) -> None:
    images = {stage.image for stage in stages}
    assert len(stages) == 2
    assert len(images) == 1
    pinned = re.fullmatch(r"python:(3\.\d+)-slim-[a-z]+", images.pop())
    assert pinned
    supported = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert SpecifierSet(supported).contains(f"{pinned[1]}.0")


def test_the_finished_image_has_no_build_tools_and_no_sources(final: Stage) -> None:
    commands = " ".join(final.all("RUN"))
    assert not re.search(r"apt|pip|gcc|curl", commands)
    assert not [text for text in final.all("COPY") if "bridge " in text or "tests" in text]
    assert "COPY" not in [word for word, text in final.instructions if "--chown" in text]


def test_it_runs_as_a_fixed_user_without_rights(final: Stage) -> None:
    uid, _, gid = final.last("USER").partition(":")
    assert int(uid) >= 1000
    assert int(gid) >= 1000
    assert f"--uid {uid}" in " ".join(final.all("RUN"))
    words = [word for word, _ in final.instructions]
    assert words.index("USER") > max(number for number, word in enumerate(words) if word in {"RUN", "COPY"})


def test_the_database_lies_in_the_volume_that_the_user_owns(final: Stage) -> None:
    (volume,) = json.loads(final.last("VOLUME"))
    assert variables(final)["DATABASE_URL"].startswith(f"sqlite:///{volume}/")
    assert re.search(rf"install --directory --owner=bridge --group=bridge --mode=\d+ {volume}\b", final.last("RUN"))


def test_migrations_are_where_the_bridge_looks(final: Stage) -> None:
    assert f"migrations {variables(final)['BRIDGE_MIGRATIONS']}" in final.all("COPY")


def test_every_setting_of_the_image_is_one_of_ours(final: Stage) -> None:
    others = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "BRIDGE_MIGRATIONS", "DATABASE_URL"}
    assert set(variables(final)) - others <= {name.upper() for name in Settings.model_fields}


def test_it_listens_where_the_engine_can_reach_it(final: Stage) -> None:
    assert variables(final)["HTTP_HOST"] == "0.0.0.0"  # noqa: S104  # inside a container that is the way
    assert variables(final)["HTTP_PORT"] == final.last("EXPOSE")


def test_it_starts_the_bridge_itself_so_that_signals_arrive(final: Stage) -> None:
    assert json.loads(final.last("ENTRYPOINT")) == ["dify-chat-bridge"]
    assert json.loads(final.last("CMD")) == ["run"]
    assert final.last("STOPSIGNAL") == "SIGTERM"


def test_its_health_is_being_alive(final: Stage) -> None:
    command = json.loads(final.last("HEALTHCHECK").partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    assert "/livez" in command[2]
    compile(command[2], "healthcheck", "exec")


def test_everything_copied_exists_and_is_sent_to_the_builder(stages: list[Stage]) -> None:
    sources = [
        word for stage in stages for text in stage.all("COPY") if "--from" not in text for word in text.split()[:-1]
    ]
    assert {"bridge", "adapters", "migrations", "pyproject.toml", "constraints.txt"} <= set(sources)
    assert [name for name in sources if not (ROOT / name).exists()] == []
    assert [name for name in sources if not is_sent(name)] == []
    assert is_sent("bridge/playground/page/index.html")


@pytest.mark.parametrize("path", [".env", ".git/config", "data/bridge.db", ".venv/bin/python", "tests/conftest.py"])
def test_what_does_not_belong_in_an_image_is_never_sent(path: str) -> None:
    assert not is_sent(path)
