"""The compose file: its form, and that it agrees with the image and with the bridge."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import cast

import jsonschema
import pytest
import yaml

from bridge.settings import Settings, isolated
from bridge.supervisor import SupervisorLimits
from tests.docker.compose_schema import COMPOSE
from tests.docker.dockerfile import read

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker" / "compose.yaml"
CLOSING = timedelta(seconds=5)
"""How long the web server gives open requests when it stops."""

Yaml = dict[str, object]


@pytest.fixture(name="service")
def read_service() -> Yaml:
    return cast("Yaml", yaml.safe_load(FILE.read_text())["services"]["bridge"])


def seconds(duration: object) -> timedelta:
    found = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", str(duration))
    assert found
    return timedelta(minutes=int(found[1] or 0), seconds=int(found[2] or 0))


def test_it_has_the_form_of_a_compose_file() -> None:
    jsonschema.Draft202012Validator(COMPOSE).validate(yaml.safe_load(FILE.read_text()))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("stop_grace_period: 90s", "stop_grace_period: 90"),
        ("stop_grace_period: 90s", "stop_graceperiod: 90s"),
        ("read_only: true", "read_only: false"),
        ("127.0.0.1:8080:8080", "8080:8080"),
        ('HTTP_PORT: "8080"', "HTTP_PORT: 8080"),
        ("- ALL", "- NET_RAW"),
    ],
)
def test_the_form_is_strict(right: str, wrong: str) -> None:
    text = FILE.read_text()
    assert right in text
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(COMPOSE).validate(yaml.safe_load(text.replace(right, wrong)))


def test_a_container_is_not_killed_before_its_answers_have_ended(service: Yaml) -> None:
    drain = timedelta(seconds=isolated(Settings).shutdown_grace)
    assert seconds(service["stop_grace_period"]) >= drain + SupervisorLimits().last_words + CLOSING


def test_paths_lead_to_this_repository(service: Yaml) -> None:
    build = cast("dict[str, str]", service["build"])
    context = (FILE.parent / build["context"]).resolve()
    assert context == ROOT
    assert (context / build["dockerfile"]).is_file()
    assert [(FILE.parent / name).resolve() for name in cast("list[str]", service["env_file"])] == [ROOT / ".env"]


def test_it_agrees_with_the_image(service: Yaml) -> None:
    final = read(ROOT / "docker" / "Dockerfile")[1][-1]
    (volume,) = json.loads(final.last("VOLUME"))
    environment = cast("dict[str, str]", service["environment"])
    assert [mount.partition(":")[2] for mount in cast("list[str]", service["volumes"])] == [volume]
    assert [port.rpartition(":")[2] for port in cast("list[str]", service["ports"])] == [final.last("EXPOSE")]
    for name, value in environment.items():
        assert f"{name}={value}" in " ".join(final.all("ENV"))


def test_every_volume_is_declared(service: Yaml) -> None:
    declared = yaml.safe_load(FILE.read_text())["volumes"]
    assert {mount.partition(":")[0] for mount in cast("list[str]", service["volumes"])} == set(declared)


def test_its_health_is_being_ready(service: Yaml) -> None:
    test = cast("dict[str, list[str]]", service["healthcheck"])["test"]
    assert test[:3] == ["CMD", "python", "-c"]
    assert "/readyz" in test[3]
    compile(test[3], "healthcheck", "exec")
