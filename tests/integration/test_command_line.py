"""The command as an operator types it: exit codes, one plain line per problem, never a stack trace."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from bridge.clock import SystemClock
from bridge.playground.dify import DifyServer
from bridge.playground.discord import DiscordServer
from bridge.playground.slack import SlackServer
from bridge.storage.migrate import head_revision

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]


async def command(folder: Path, *arguments: str, **settings: str) -> tuple[int, str, str]:
    """Runs the command in an empty folder with nothing but these settings; returns exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bridge.cli",
        *arguments,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "COLUMNS": "200", **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 40)
    assert "Traceback" not in err.decode()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_the_version_is_told(tmp_path: Path) -> None:
    code, out, _ = await command(tmp_path, "--version")
    assert code == 0
    assert out.startswith("dify-chat-bridge 0.")


async def test_without_settings_it_says_what_to_set_and_ends_with_two(tmp_path: Path) -> None:
    code, _, err = await command(tmp_path, "run")
    assert code == 2
    assert "SLACK_BOT_TOKEN" in err
    assert "DIFY_API_KEY" in err
    assert all(line.startswith("Error: ") for line in err.splitlines())


async def test_a_wrong_setting_is_one_line_with_its_name(tmp_path: Path) -> None:
    code, _, err = await command(
        tmp_path,
        "run",
        HTTP_PORT="eighty",
        SLACK_BOT_TOKEN="xoxb-secret",
        SLACK_APP_TOKEN="xoxb-secret",
        DIFY_API_KEY="a",
    )
    assert code == 2
    assert any("HTTP_PORT" in line for line in err.splitlines())
    assert any("SLACK_APP_TOKEN" in line for line in err.splitlines())
    assert "xoxb-secret" not in err


async def test_a_missing_env_file_is_named(tmp_path: Path) -> None:
    code, _, err = await command(tmp_path, "run", "--env-file", "nowhere.env")
    assert code == 2
    assert "nowhere.env" in err


async def test_a_wrong_file_of_apps_is_told_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "bridge.toml").write_text(
        '[apps.x]\napi_key = "app-verysecret"\n[[routes]]\nchanel = "C1"\napp = "y"\n'
    )
    code, _, err = await command(tmp_path, "run", SLACK_BOT_TOKEN="xoxb-1-2-a", SLACK_APP_TOKEN="xapp-1-A1-2-a")
    assert code == 2
    assert [line.partition(": ")[2].split(":")[0] for line in err.splitlines()] == [
        f"bridge.toml line {line}" for line in (2, 4, 5)
    ]
    assert "verysecret" not in err


async def test_a_route_is_explained_without_a_token_a_key_or_a_network(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(
        '[apps.support]\napi_key_env = "SUPPORT_KEY"\n[[routes]]\napp = "support"\nplatform = "slack"\nchannel = "C0123"\n'
    )
    code, out, _ = await command(tmp_path, "check", "--config", "other.toml", "--route", "slack:T1/C0123")
    assert code == 0
    told = ["app", "follow", "access", "answers", "limits", "external", "bots", "because"]
    assert [line.split()[0] for line in out.splitlines()] == told
    assert "line 3 (slack, channel C0123)" in out
    code, _, err = await command(tmp_path, "check", "--config", "other.toml", "--route", "C0123")
    assert (code, "discord:CHANNEL@CATEGORY" in err) == (2, True)
    code, _, err = await command(tmp_path, "check", "--route", "slack:C0123")
    assert (code, err) == (2, "Error: No app is configured, so none answers anywhere.\n")


async def test_the_forms_of_a_place_are_in_the_help(tmp_path: Path) -> None:
    code, out, _ = await command(tmp_path, "check", "--help")
    assert code == 0
    for form in (
        "slack:C0123",
        "slack:T0123/C0123",
        "discord:SERVER/CHANNEL",
        "discord:CHANNEL@CATEGORY",
        "slack:direct",
    ):
        assert form in out


async def test_check_tries_every_app_of_the_file_and_lists_its_routes(tmp_path: Path) -> None:
    clock = SystemClock()
    slack, support, sales = SlackServer(clock), DifyServer(clock), DifyServer(clock)
    for server in (slack, support, sales):
        await server.start()
    (tmp_path / "bridge.toml").write_text(
        f'''
        [apps.support]
        api_key_env = "SUPPORT_KEY"
        base_url = "{support.base_url}"
        [apps.sales]
        api_key_env = "SALES_KEY"
        base_url = "{sales.base_url}"
        [[routes]]
        app = "support"
        [[routes]]
        app = "sales"
        platform = "slack"
        channel = "C0123"
        '''
    )
    settings = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "SUPPORT_KEY": support.api_key,
        "SALES_KEY": sales.api_key,
    }
    try:
        await command(tmp_path, "migrate", **settings)
        code, out, _ = await command(tmp_path, "check", **settings)
        assert code == 0, out
        for words in ("support", "sales", "line 8 (everywhere)", "line 10 (slack, channel C0123)"):
            assert words in out
        code, out, _ = await command(tmp_path, "check", **{**settings, "SALES_KEY": "app-wrong"})
        assert (code, "SALES_KEY" in out, "DIFY_API_KEY" in out, "app-wrong" in out) == (1, True, False, False), out
    finally:
        for server in (slack, support, sales):
            await server.stop()


async def test_migrate_makes_the_database_and_can_be_repeated(tmp_path: Path) -> None:
    for _ in range(2):
        code, out, _ = await command(tmp_path, "migrate", DATABASE_URL="sqlite:///here/bridge.db")
        assert code == 0
        assert head_revision() in out
    assert (tmp_path / "here" / "bridge.db").exists()


async def test_the_example_can_be_saved_as_env_and_changes_nothing(tmp_path: Path) -> None:
    _, out, _ = await command(tmp_path, "env-example")
    (tmp_path / ".env").write_text(out)
    code, _, err = await command(tmp_path, "run")
    assert code == 2
    assert "No chat platform is configured" in err


async def test_a_refused_token_ends_the_run_with_one_and_a_line(tmp_path: Path) -> None:
    slack = SlackServer(SystemClock())
    await slack.start()
    try:
        code, _, err = await command(
            tmp_path,
            "run",
            SLACK_BOT_TOKEN="xoxb-1-2-wrong",
            SLACK_APP_TOKEN=slack.app_token,
            SLACK_API_URL=slack.api_url,
            DIFY_API_KEY="app-x",
            HTTP_PORT="0",
        )
        assert code == 1
        assert "invalid_auth" in err
        assert "wrong" not in err
    finally:
        await slack.stop()


async def test_check_passes_when_all_is_well_and_fails_with_fixes_when_not(tmp_path: Path) -> None:
    clock = SystemClock()
    slack, discord, dify = SlackServer(clock), DiscordServer(clock), DifyServer(clock)
    for server in (slack, discord, dify):
        await server.start()
    settings = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "DISCORD_TOKEN": discord.token,
        "DISCORD_API_URL": discord.api_url,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
        "DIFY_API_KEY": dify.api_key,
        "DIFY_BASE_URL": dify.base_url,
    }
    try:
        await command(tmp_path, "migrate", **settings)
        code, out, _ = await command(tmp_path, "check", **settings)
        assert (code, "All is well." in out) == (0, True), out
        slack.scopes = [scope for scope in slack.scopes if scope != "reactions:read"]
        code, out, _ = await command(tmp_path, "check", **{**settings, "DIFY_API_KEY": "app-wrong"})
        assert code == 1
        assert "DIFY_API_KEY" in out
        assert "reactions:read" in out
        for secret in (slack.bot_token, slack.app_token, discord.token, "app-wrong"):
            assert secret not in out
    finally:
        for server in (slack, discord, dify):
            await server.stop()
