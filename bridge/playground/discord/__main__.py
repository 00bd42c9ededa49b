"""`python -m bridge.playground.discord --port N`: the stand-in in a process of its own, with its remote control.

Prints one line of JSON (addresses, token, ids) once it listens, and runs until SIGINT or SIGTERM.
"""

import argparse
import asyncio
import json
import signal
import sys

from bridge.playground.discord.server import DiscordServer


async def serve(host: str, port: int) -> None:
    server = DiscordServer(control=True)
    await server.start(host, port)
    facts = {
        "api_url": server.api_url,
        "gateway_url": server.gateway_url,
        "control_url": server.address + "/control",
        "token": server.token,
        "bot_id": server.bot_id,
        "application_id": server.application_id,
        "guild_id": server.guild_id,
        "bot_role_id": server.bot_role_id,
        "ada": server.ada,
        "grace": server.grace,
        "linus": server.linus,
        "general": server.general,
        "support": server.support,
        "dm_ada": server.dm_ada,
    }
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
    await ended.wait()
    await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bridge.playground.discord", description="A stand-in Discord.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.host, chosen.port))


if __name__ == "__main__":
    main()
