"""`check` finds what is wrong on Discord's side and says how to mend it."""

from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.discord.adapter import DiscordPlatform, create
from adapters.discord.installs.permissions import PERMISSIONS
from adapters.discord.settings import Settings
from bridge.clock import SystemClock
from bridge.platform_api import Finding, Severity
from bridge.playground.discord import DiscordServer, Fault, limits, payloads
from bridge.playground.discord.permissions import ATTACH_FILES, DEFAULT_PERMISSIONS
from bridge.playground.discord.world import World
from tests.adapters.discord.conftest import Make

ADMINISTRATOR = 1 << 3


def wrong(findings: Sequence[Finding]) -> list[Finding]:
    found = [each for each in findings if each.severity is not Severity.OK]
    assert all(each.fix for each in found)
    return found


async def test_nothing_is_wrong_with_a_good_setup(platform: DiscordPlatform) -> None:
    findings = await platform.check()
    assert wrong(findings) == []
    assert [each.subject for each in findings] == [
        "Discord token",
        "Discord Message Content intent",
        "Discord gateway logins",
        "Discord permissions",
        "Discord gateway",
    ]


async def test_servers_that_lack_a_permission_are_named_with_what_is_missing(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    server.permissions[server.guild_id] = DEFAULT_PERMISSIONS & ~ATTACH_FILES
    (finding,) = wrong(await platform.check())
    assert finding.severity is Severity.WARNING
    assert finding.subject == "Discord permission Attach Files"
    assert server.guild_name in finding.problem
    assert "many messages" in finding.problem
    assert f"client_id={server.application_id}&permissions=309237746688&" in finding.fix
    server.permissions[server.guild_id] |= ADMINISTRATOR
    assert wrong(await platform.check()) == []


async def test_each_permission_that_is_missing_is_a_finding(server: DiscordServer, make: Make) -> None:
    server.permissions[server.guild_id] = 0
    found = [each.subject for each in wrong(await make(discord_solved_tag="Solved").check())]
    assert found == [f"Discord permission {need.name}" for need in PERMISSIONS]


async def test_a_refused_token_is_an_error(server: DiscordServer, make: Make) -> None:
    (finding,) = wrong(await make(discord_token=server.token[:-3] + "zzz").check())
    assert finding.severity is Severity.ERROR
    assert "DISCORD_TOKEN" in finding.problem
    assert "Reset Token" in finding.fix


async def test_no_token_is_an_error() -> None:
    (finding,) = wrong(await create(Settings.model_validate({"discord_token": None}), SystemClock()).check())
    assert "DISCORD_TOKEN is not set" in finding.problem


async def test_a_missing_intent_is_a_warning_unless_it_is_not_wanted(server: DiscordServer, make: Make) -> None:
    server.message_content_allowed = False
    (finding,) = wrong(await make().check())
    assert finding.severity is Severity.WARNING
    assert f"{server.application_id}/bot" in finding.fix
    assert "mention" in finding.problem
    assert wrong(await make(discord_message_content=False).check()) == []


async def test_few_logins_left_is_a_warning(server: DiscordServer, platform: DiscordPlatform) -> None:
    server.identifies = limits.IDENTIFIES_PER_DAY - 3
    (finding,) = wrong(await platform.check())
    assert finding.severity is Severity.WARNING
    assert "3 left" in finding.problem


async def test_what_is_wrong_in_the_portal_is_told_with_its_page(
    server: DiscordServer, platform: DiscordPlatform, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = payloads.application

    def wrong_one(world: World) -> dict[str, Any]:
        return made(world) | {
            "interactions_endpoint_url": "https://elsewhere.example.com/hook",
            "bot_require_code_grant": True,
            "integration_types_config": {"0": {}},
        }

    monkeypatch.setattr(payloads, "application", wrong_one)
    elsewhere, grant, personal = wrong(await platform.check())
    assert (elsewhere.severity, elsewhere.subject) == (Severity.ERROR, "Discord interactions")
    assert "https://elsewhere.example.com/hook" in elsewhere.problem
    assert f"{server.application_id}/information" in elsewhere.fix
    assert f"{server.application_id}/bot" in grant.fix
    assert f"{server.application_id}/installation" in personal.fix
    assert len(wrong(await make(discord_user_install=False).check())) == 2


async def test_a_gateway_out_of_reach_is_an_error(server: DiscordServer, platform: DiscordPlatform) -> None:
    server.faults.refuse_gateway = True
    (finding,) = wrong(await platform.check())
    assert finding.subject == "Discord gateway"
    assert "DISCORD_GATEWAY_URL" in finding.fix


async def test_something_else_at_the_gateways_address_is_an_error(server: DiscordServer, make: Make) -> None:
    (finding,) = wrong(await make(discord_gateway_url=server.gateway_url + "elsewhere/").check())
    assert finding.subject == "Discord gateway"


async def test_an_api_out_of_reach_is_an_error(make: Make) -> None:
    (finding,) = wrong(await make(discord_api_url="http://127.0.0.1:9/api/v10").check())
    assert finding.subject == "Discord API"
    assert "DISCORD_API_URL" in finding.fix


async def test_something_else_at_the_apis_address_is_an_error(server: DiscordServer, make: Make) -> None:
    (finding,) = wrong(await make(discord_api_url=server.api_url.replace("v10", "v11")).check())
    assert finding.subject == "Discord API"


async def test_being_shut_out_by_cloudflare_is_explained(server: DiscordServer, platform: DiscordPlatform) -> None:
    server.faults.fail_next["GET /users/@me"] = [Fault(kind="cloudflare_429")]
    (finding,) = wrong(await platform.check())
    assert "Cloudflare" in finding.problem
    assert finding.fix.startswith("Wait")


async def test_a_web_page_at_the_apis_address_is_an_error(make: Make) -> None:
    async def serve_page(_: web.Request) -> web.Response:
        return web.Response(text="<html>Log in to the network</html>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve_page)
    async with TestServer(app) as page:
        (finding,) = wrong(await make(discord_api_url=str(page.make_url("/api/v10"))).check())
    assert finding.subject == "Discord API"
    assert "unreadable" in finding.problem
