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
from bridge.storage.settings import Settings as DatabaseSettings
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
        ("replicas: 3", "replicas: 1"),
        ("service_healthy", "service_ready"),
        (".cfg:ro", ".cfg"),
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


def test_every_volume_is_declared_and_every_mounted_file_is_there() -> None:
    whole = yaml.safe_load(FILE.read_text())
    mounts = [mount.partition(":")[0] for service in whole["services"].values() for mount in service.get("volumes", [])]
    assert {mount for mount in mounts if not mount.startswith(".")} == set(whole["volumes"])
    assert all((FILE.parent / mount).is_file() for mount in mounts if mount.startswith("."))


def test_its_health_is_being_ready(service: Yaml) -> None:
    test = cast("dict[str, list[str]]", service["healthcheck"])["test"]
    assert test[:3] == ["CMD", "python", "-c"]
    assert "/readyz" in test[3]
    compile(test[3], "healthcheck", "exec")


# Three processes


@pytest.fixture(name="services")
def read_services() -> dict[str, Yaml]:
    return cast("dict[str, Yaml]", yaml.safe_load(FILE.read_text())["services"])


def test_the_profile_brings_everything_that_its_services_need(services: dict[str, Yaml]) -> None:
    with_profile = {name for name, service in services.items() if "profiles" in service}
    assert with_profile == {"bridges", "postgres", "balancer"}
    for name in with_profile:
        assert set(cast("Yaml", services[name].get("depends_on", {}))) <= with_profile


def test_starting_the_balancer_starts_the_others_and_not_the_single_process(services: dict[str, Yaml]) -> None:
    needed, found = ["balancer"], set()
    while needed:
        name = needed.pop()
        found.add(name)
        needed += cast("Yaml", services[name].get("depends_on", {}))
    assert found == {"balancer", "bridges", "postgres"}


def test_the_bridges_differ_from_the_single_process_in_the_database_alone(services: dict[str, Yaml]) -> None:
    apart = {"profiles", "deploy", "depends_on", "environment", "ports", "volumes"}
    one, many = ({k: v for k, v in services[name].items() if k not in apart} for name in ("bridge", "bridges"))
    assert one == many
    theirs = cast("dict[str, str]", services["bridges"]["environment"])
    his = cast("dict[str, str]", services["bridge"]["environment"])
    assert {name for name in theirs if theirs[name] != his.get(name)} == {"DATABASE_URL", "PGPASSWORD"}


def test_the_bridges_find_the_database(services: dict[str, Yaml]) -> None:
    theirs = cast("dict[str, str]", services["bridges"]["environment"])
    server = cast("dict[str, str]", services["postgres"]["environment"])
    url = isolated(DatabaseSettings, database_url=theirs["DATABASE_URL"]).url
    assert (url.host, url.username, url.database) == ("postgres", server["POSTGRES_USER"], server["POSTGRES_DB"])
    assert theirs["PGPASSWORD"] == server["POSTGRES_PASSWORD"]


def test_the_database_outlives_the_bridges(services: dict[str, Yaml]) -> None:
    ends = {name: seconds(service["stop_grace_period"]) for name, service in services.items()}
    assert ends["postgres"] > ends["bridges"]


def test_the_balancer_knows_every_bridge_by_its_name_and_port(services: dict[str, Yaml]) -> None:
    config = (FILE.parent / "balancer.cfg").read_text()
    replicas = cast("dict[str, int]", services["bridges"]["deploy"])["replicas"]
    port = cast("dict[str, str]", services["bridges"]["environment"])["HTTP_PORT"]
    assert f"server-template bridge {replicas} bridges:{port} " in config
    assert cast("list[str]", services["balancer"]["ports"])[0].endswith(":8080")
    assert "bind :8080" in config


def test_the_balancer_asks_who_is_ready_and_lets_only_slack_in() -> None:
    config = (FILE.parent / "balancer.cfg").read_text()
    assert "option httpchk GET /readyz" in config
    assert "deny_status 404 unless { path_beg /slack/ }" in config
