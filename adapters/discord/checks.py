"""What `dify-chat-bridge check` tries on Discord: token, portal, intent, logins left, permissions, gateway, and each
channel that a route names."""

import asyncio
from collections.abc import Sequence

import aiohttp
from yarl import URL

from adapters.discord.gateway.logins import is_short
from adapters.discord.installs.looking import look_at_portal
from adapters.discord.installs.manifest import PORTAL, invite_link, portal_page
from adapters.discord.installs.permissions import Need, missing, needed_permissions
from adapters.discord.installs.places import look_at_places
from adapters.discord.outbound import GatewayPlan, Login, Rest, Server
from adapters.discord.settings import Settings
from bridge.clock import Clock
from bridge.errors import NotAllowed, PlatformError, RateLimited
from bridge.platform_api import ConfiguredPlace, Finding, Severity

HELLO = 10
"""Opcode of the gateway's first message (Discord documentation, Gateway Opcodes)."""

NAMED_SERVERS = 5
"""Servers that a finding names."""

CHECK_TIMEOUT = 15.0
"""Seconds that each step may take."""


async def run_checks(settings: Settings, clock: Clock) -> Sequence[Finding]:
    """Never raises. Uses connections of its own and closes them."""
    if not settings.enabled:
        return [_error("Discord token", "DISCORD_TOKEN is not set, so Discord is off", _new_token())]
    rest = Rest(_bounded(settings), clock)
    findings: list[Finding] = []
    try:
        login = await rest.log_in()
        findings.append(_ok("Discord token", f"belongs to the application {login.application_name}"))
        findings.append(_look_at_intent(settings, login))
        findings += await _look_at_portal(rest, settings, login)
        plan = await rest.gateway_plan()
        findings.append(_look_at_logins(plan))
        findings += _look_at_permissions(settings, login, await rest.servers())
        findings.append(await _look_at_gateway(settings.discord_gateway_url or plan.url, settings))
    except PlatformError as error:
        findings.append(_explain(error, settings))
    finally:
        await rest.close()
    return findings


async def check_places(settings: Settings, clock: Clock, places: Sequence[ConfiguredPlace]) -> Sequence[Finding]:
    """What the bot may not do there. As `run_checks`."""
    rest = Rest(_bounded(settings), clock)
    try:
        return await look_at_places(rest, settings, await rest.log_in(), places)
    except PlatformError as error:
        return [_explain(error, settings)]
    finally:
        await rest.close()


def _bounded(settings: Settings) -> Settings:
    return settings.model_copy(update={"discord_call_timeout": min(settings.discord_call_timeout, CHECK_TIMEOUT)})


def _look_at_intent(settings: Settings, login: Login) -> Finding:
    subject = "Discord Message Content intent"
    if not settings.discord_message_content:
        return _ok(subject, "not asked for (DISCORD_MESSAGE_CONTENT=false): follow-ups in threads need a mention")
    if login.content_allowed:
        return _ok(subject, "switched on")
    page = portal_page(login.application, "bot")
    return _warning(
        subject,
        "switched off: messages in threads are seen only when they mention the bot",
        f"Switch on Message Content Intent at {page}, or set DISCORD_MESSAGE_CONTENT=false.",
    )


async def _look_at_portal(rest: Rest, settings: Settings, login: Login) -> Sequence[Finding]:
    """Only what is wrong there."""
    portal = await look_at_portal(rest)
    findings = []
    if portal.endpoint:
        page = portal_page(login.application, "information")
        problem = f"buttons and commands go to {portal.endpoint} and never reach the bridge"
        findings.append(_error("Discord interactions", problem, f"Empty Interactions Endpoint URL at {page}."))
    if portal.needs_code_grant:
        page = portal_page(login.application, "bot")
        problem = "links that add the bot to a server do not work by themselves"
        findings.append(_warning("Discord installation", problem, f"Switch off Requires OAuth2 Code Grant at {page}."))
    if settings.installs_for_people and portal.for_people is False:
        page = portal_page(login.application, "installation")
        problem = "people cannot add the app to their own account, to ask where the bot is no member"
        fix = f"Tick User Install at {page}, or set DISCORD_USER_INSTALL=false."
        findings.append(_warning("Discord user install", problem, fix))
    return findings


def _look_at_logins(plan: GatewayPlan) -> Finding:
    subject = "Discord gateway logins"
    if not is_short(plan.logins):
        return _ok(subject, f"{plan.logins.left} left today")
    hours = plan.logins.resets_in.total_seconds() / 3600
    return _warning(
        subject,
        f"only {plan.logins.left} left today; at none left Discord resets the token, so the bridge uses none of them for "
        f"another {hours:.0f} hours",
        "Find out what makes the bridge, or another program with this token, log in so often.",
    )


def _look_at_permissions(settings: Settings, login: Login, servers: Sequence[Server]) -> Sequence[Finding]:
    """In whole servers; single channels may give more or less."""
    subject = "Discord permissions"
    link = invite_link(settings, login.application)
    if not servers:
        problem = "the bot is in no server yet, so only direct messages and commands reach it"
        return [_warning(subject, problem, f"Add it to one: {link}")]
    findings = []
    for need in needed_permissions(settings):
        without = [each.name for each in servers if missing([need], each.permissions.value)]
        if without:
            findings.append(_lacking(need, without, link))
    return findings or [_ok(subject, "all granted" if len(servers) == 1 else f"all granted in {len(servers)} servers")]


def _lacking(need: Need, servers: Sequence[str], link: str) -> Finding:
    named = ", ".join(servers[:NAMED_SERVERS]) + (" and others" if len(servers) > NAMED_SERVERS else "")
    return Finding(
        # Channels may give what the server does not.
        severity=Severity.WARNING,
        subject=f"Discord permission {need.name}",
        problem=f"missing in {named}: {need.without}",
        fix=f"Give it to the bot's role (Server Settings > Roles), or add the bot anew, which keeps all else: {link}",
    )


async def _look_at_gateway(url: str, settings: Settings) -> Finding:
    subject = "Discord gateway"
    try:
        async with asyncio.timeout(CHECK_TIMEOUT), aiohttp.ClientSession() as session:
            async with session.ws_connect(URL(url).with_query(v=10, encoding="json"), max_msg_size=0) as socket:
                hello = await socket.receive_json()
            greeted = isinstance(hello, dict) and hello.get("op") == HELLO
    except (aiohttp.ClientError, OSError, TypeError, ValueError) as error:
        problem = f"{url} cannot be reached ({type(error).__name__})"
        return _error(
            subject, problem, _reach("DISCORD_GATEWAY_URL", set_by_hand=settings.discord_gateway_url is not None)
        )
    if greeted:
        return _ok(subject, "answers")
    return _error(subject, f"{url} is not Discord's gateway", "Remove or correct DISCORD_GATEWAY_URL.")


def _explain(error: PlatformError, settings: Settings) -> Finding:
    if isinstance(error, NotAllowed) and error.code == "401":
        return _error("Discord token", "Discord refuses DISCORD_TOKEN", _new_token())
    if isinstance(error, RateLimited):
        seconds = error.retry_after.total_seconds()
        return _error("Discord API", f"{error}", f"Wait {seconds:.0f} s and check again.")
    by_hand = settings.discord_api_url != Settings.model_fields["discord_api_url"].default
    problem = f"{settings.discord_api_url} cannot be used: {error}"
    return _error("Discord API", problem, _reach("DISCORD_API_URL", set_by_hand=by_hand))


def _reach(setting: str, *, set_by_hand: bool) -> str:
    if set_by_hand:
        return f"Correct {setting} or remove it, and see that its host can be reached from here."
    return "Check name resolution, the firewall and https://discordstatus.com; a proxy is named with " + setting + "."


def _new_token() -> str:
    return f"Make a token at {PORTAL} (your application > Bot > Reset Token) and set DISCORD_TOKEN to it."


def _ok(subject: str, problem: str) -> Finding:
    return Finding(severity=Severity.OK, subject=subject, problem=problem)


def _warning(subject: str, problem: str, fix: str) -> Finding:
    return Finding(severity=Severity.WARNING, subject=subject, problem=problem, fix=fix)


def _error(subject: str, problem: str, fix: str) -> Finding:
    return Finding(severity=Severity.ERROR, subject=subject, problem=problem, fix=fix)
