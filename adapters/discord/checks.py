"""What `dify-chat-bridge check` tries on Discord: token, intent, logins left, files, gateway."""

import asyncio
from collections.abc import Sequence

import aiohttp
from yarl import URL

from adapters.discord.outbound import GatewayPlan, Login, Rest, Server
from adapters.discord.settings import Settings
from adapters.discord.transport import PORTAL
from bridge.clock import Clock
from bridge.errors import NotAllowed, PlatformError, RateLimited
from bridge.platform_api import Finding, Severity

FEW_LOGINS = 50
"""Of 1,000 gateway logins a day (Discord documentation, Session Start Limit); at none left the token is reset."""

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
    bounded = settings.model_copy(
        update={"discord_call_timeout": min(settings.discord_call_timeout, CHECK_TIMEOUT)},
    )
    rest = Rest(bounded, clock)
    findings: list[Finding] = []
    try:
        login = await rest.log_in()
        findings.append(_ok("Discord token", f"belongs to the application {login.application_name}"))
        findings.append(_look_at_intent(settings, login))
        plan = await rest.gateway_plan()
        findings.append(_look_at_logins(plan))
        findings.append(_look_at_files(await rest.servers()))
        findings.append(await _look_at_gateway(settings.discord_gateway_url or plan.url, settings))
    except PlatformError as error:
        findings.append(_explain(error, settings))
    finally:
        await rest.close()
    return findings


def _look_at_intent(settings: Settings, login: Login) -> Finding:
    subject = "Discord Message Content intent"
    if not settings.discord_message_content:
        return _ok(subject, "not asked for (DISCORD_MESSAGE_CONTENT=false): follow-ups in threads need a mention")
    if login.content_allowed:
        return _ok(subject, "switched on")
    return Finding(
        severity=Severity.WARNING,
        subject=subject,
        problem="switched off: messages in threads are seen only when they mention the bot",
        fix=f"Switch on Message Content Intent at {PORTAL}/{login.application}/bot, or set DISCORD_MESSAGE_CONTENT=false.",
    )


def _look_at_logins(plan: GatewayPlan) -> Finding:
    subject = "Discord gateway logins"
    if plan.logins_left >= FEW_LOGINS:
        return _ok(subject, f"{plan.logins_left} left today")
    return Finding(
        severity=Severity.WARNING,
        subject=subject,
        problem=f"only {plan.logins_left} left today; at none left Discord resets the token",
        fix="Find out what makes the bridge, or another program with this token, log in so often.",
    )


def _look_at_files(servers: Sequence[Server]) -> Finding:
    subject = "Discord permission Attach Files"
    if not servers:
        return _ok(subject, "the bot is in no server yet")
    without = [each.name for each in servers if not (each.permissions.attach_files or each.permissions.administrator)]
    if not without:
        return _ok(subject, "granted")
    named = ", ".join(without[:NAMED_SERVERS]) + (" and others" if len(without) > NAMED_SERVERS else "")
    return Finding(
        severity=Severity.WARNING,
        subject=subject,
        problem=f"missing in {named}: long answers come as many messages instead of a few and a file",
        fix="Give the bot's role Attach Files there (Server Settings > Roles), or add the bot anew with a link that asks for it.",
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


def _error(subject: str, problem: str, fix: str) -> Finding:
    return Finding(severity=Severity.ERROR, subject=subject, problem=problem, fix=fix)
