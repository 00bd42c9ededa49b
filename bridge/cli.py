"""The command line. Bad input ends with exit code 2 and one plain line per problem, never with a stack trace."""

import asyncio
import gc
import logging
from collections.abc import Coroutine
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from bridge import logs
from bridge.errors import BridgeError, SettingsError

_ENV_FILE = Path(".env")
_log = logs.get("settings")

cli = typer.Typer(
    name="dify-chat-bridge",
    help="Puts a Dify app into Slack and Discord.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

EnvFile = Annotated[
    Path | None, typer.Option("--env-file", help="File with settings; `.env` in the working directory when left out.")
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="File with apps and routes; BRIDGE_CONFIG, or `bridge.toml` in the working directory, when left out.",
    ),
]


def _print_version(wanted: bool) -> None:  # typer calls it with the flag's value
    if wanted:
        typer.echo(f"dify-chat-bridge {version('dify-chat-bridge')}")
        raise typer.Exit


@cli.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


@cli.command()
def run(env_file: EnvFile = None, config: ConfigFile = None) -> None:
    """Connect the configured platforms and answer until told to stop (SIGTERM, Ctrl-C)."""

    async def start() -> int:
        from bridge.registry import load

        # Before everything else is imported: what is wrong with the settings is told at once.
        configuration = load(_find(env_file), config)
        from bridge.app import build

        logs.configure(configuration.core.log_level, configuration.core.log_format)
        for notice in configuration.notices:
            _log.warning("probably_not_meant", notice=notice)
        app = await build(configuration, load=lambda: load(_find(env_file), config))
        app.stop_on_signals()
        # A full collection walks through all that was imported and holds the loop for 30 to 50 ms; that will never be garbage.
        gc.collect()
        gc.freeze()
        return await app.run()

    _end(start())


@cli.command()
def playground(
    env_file: EnvFile = None,
    host: Annotated[str, typer.Option(help="Address to serve the page on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to serve the page on.")] = 8080,
    browser: Annotated[bool, typer.Option(help="Open the page in a web browser.")] = True,
    app: Annotated[
        str,
        typer.Option(
            help="Kind of app that the stand-in Dify plays: chat, agent-chat, advanced-chat, completion or workflow."
        ),
    ] = "agent-chat",
) -> None:
    """See everything work in a browser, with stand-ins for Slack, Discord and (without DIFY_API_KEY) Dify."""

    async def start() -> int:
        from bridge.playground.stage import play

        logs.configure("WARNING")
        # On loopback an acknowledgement can come before discord.py has noted its heartbeat; it then warns of a delay.
        logging.getLogger("discord.gateway").setLevel(logging.ERROR)
        return await play(host=host, port=port, env_file=_find(env_file), open_browser=browser, app_mode=app)

    _end(start())


@cli.command()
def check(
    env_file: EnvFile = None,
    config: ConfigFile = None,
    route: Annotated[
        str | None,
        typer.Option(
            help="Only say which app answers in this place, and why; nothing is connected to. "
            "Forms: slack:C0123, slack:T0123/C0123, discord:SERVER/CHANNEL, discord:CHANNEL@CATEGORY, slack:direct.",
            metavar="PLACE",
        ),
    ] = None,
) -> None:
    """Try every credential, scope, intent, app and the database for real, and say how to mend what is wrong."""

    async def start() -> int:
        from bridge.check import check_all, explain_route, print_findings
        from bridge.registry import load

        logs.configure("ERROR")
        if route is not None:
            for line in explain_route(route, _find(env_file), config):
                typer.echo(line)
            return 0
        return print_findings(await check_all(load(_find(env_file), config)))

    _end(start())


@cli.command()
def usage(
    env_file: EnvFile = None,
    by: Annotated[str, typer.Option(help="What to add up: app, person or day.")] = "app",
    since: Annotated[
        str | None, typer.Option(help="Only from this day on (2026-11-01), or of the last days (30d).", metavar="WHEN")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """What answers have cost, as far as their apps tell: tokens and prices by app, person or day (UTC)."""

    async def start() -> int:
        from bridge import spending
        from bridge.clock import SystemClock
        from bridge.costs import Grouping
        from bridge.settings import read
        from bridge.storage.settings import Settings

        if by not in set(Grouping):
            raise SettingsError([f"--by: {by!r} is none of {', '.join(Grouping)}."])
        first = None if since is None else spending.read_since(since, SystemClock())
        found = await spending.look_up(read(Settings, _find(env_file)), Grouping(by), first)
        if as_json:
            typer.echo(spending.as_json(found))
        else:
            spending.print_table(found, Grouping(by))
        return 0

    _end(start())


@cli.command()
def migrate(env_file: EnvFile = None) -> None:
    """Bring the database to the newest revision. `run` does this by itself."""

    async def start() -> int:
        from bridge.settings import read
        from bridge.storage.migrate import migrate as bring_to_head
        from bridge.storage.settings import Settings

        revision = await bring_to_head(read(Settings, _find(env_file)))
        typer.echo(f"The database is at revision {revision}.")
        return 0

    _end(start())


@cli.command()
def render(
    files: Annotated[list[str], typer.Argument(help="Files with Markdown; `-` for standard input.", metavar="FILE")],
    platform: Annotated[str, typer.Option(help="The platform to write for, such as slack.")],
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per file.")] = False,
    limit: Annotated[int | None, typer.Option(help="Size of a message; the platform's own when left out.")] = None,
    fallback: Annotated[
        bool, typer.Option("--fallback", help="The form that is sent when the platform refuses the usual one.")
    ] = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="Each line is a JSON string, a piece of an answer; show every step.")
    ] = False,
) -> None:
    """Show what would be sent for a text: every message with its counted length. Nothing is sent; no settings are needed."""

    async def start() -> int:
        from bridge.render import RenderOptions, render_files

        options = RenderOptions(platform=platform, limit=limit, fallback=fallback, stream=stream, as_json=as_json)
        render_files(files, options)
        return 0

    _end(start())


@cli.command()
def manifest(
    platform: Annotated[str, typer.Argument(help="The platform: slack or discord.", metavar="PLATFORM")],
    env_file: EnvFile = None,
    http: Annotated[
        str, typer.Option("--http", help="Slack calls the bridge at this https address.", metavar="URL")
    ] = "",
    plain: Annotated[bool, typer.Option("--plain", help="A Slack bot without what only AI agents have.")] = False,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="Slack's manifest as YAML instead of JSON.")] = False,
) -> None:
    """Print what the app is set up with at the platform, asking for exactly what the settings switch on. No token is needed.

    For Slack that is a manifest to paste; for Discord the steps in its portal, and the links that add the bot to a server and to
    one's own account.
    """

    async def start() -> int:
        from bridge.registry import describe_install

        typer.echo(describe_install(platform, _find(env_file), http_url=http, plain=plain, as_yaml=as_yaml), nl=False)
        return 0

    _end(start())


@cli.command("env-example")
def env_example() -> None:
    """Print every setting with its meaning and default, ready to be saved as `.env`."""
    from bridge.registry import example

    typer.echo(example(), nl=False)


def _find(env_file: Path | None) -> Path | None:
    if env_file is not None:
        if not env_file.is_file():
            raise SettingsError([f"--env-file: {env_file} is not a file."])
        return env_file
    return _ENV_FILE if _ENV_FILE.is_file() else None


def _end(work: Coroutine[None, None, int]) -> None:
    """Runs a command and turns our errors into lines and exit codes."""
    try:
        code = asyncio.run(work)
    except SettingsError as error:
        for problem in error.problems:
            typer.echo(f"Error: {problem}", err=True)
        code = 2
    except BridgeError as error:
        typer.echo(f"Error: {error}", err=True)
        code = 1
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)


def main() -> None:
    """Entry point of the `dify-chat-bridge` command."""
    cli()


if __name__ == "__main__":
    main()
