"""The stand-in Dify as a process of its own: `python -m bridge.playground.dify --port 5001`.

Prints one line of JSON with its address and key, then serves until it is terminated.
"""

import argparse
import asyncio
import json
import signal
import sys

from bridge.clock import SystemClock
from bridge.playground.dify.control import MODES
from bridge.playground.dify.features import everything_on
from bridge.playground.dify.script import Reply
from bridge.playground.dify.server import DifyServer


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bridge.playground.dify", description="A stand-in for a Dify server."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--mode", default="chat", choices=MODES)
    parser.add_argument("--version", default="1.12.1", help="the Dify version to behave like")
    parser.add_argument("--api-key", default="", help="empty makes one up")
    parser.add_argument("--first-token", type=float, default=0.2, help="seconds before the first token")
    parser.add_argument("--per-token", type=float, default=0.025, help="seconds between tokens")
    parser.add_argument(
        "--tokens", type=int, default=0, help="answer everything with so many tokens; 0 answers by the question"
    )
    parser.add_argument("--max-connections", type=int, default=10, help="requests served at once")
    parser.add_argument(
        "--all-features", action="store_true", help="files, citations, suggestions, speech and an opening are on"
    )
    asyncio.run(_serve(parser.parse_args()))


async def _serve(options: argparse.Namespace) -> None:
    server = DifyServer(SystemClock(), mode=options.mode, version=options.version, api_key=options.api_key)
    server.first_token, server.per_token = options.first_token, options.per_token
    server.max_connections = options.max_connections
    if options.all_features:
        server.features = everything_on()
    if options.tokens > 0:
        tokens = [f"word{number} " for number in range(1, options.tokens + 1)]
        server.script = lambda query: Reply(tokens=tokens)
    finished = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, finished.set)
    await server.start(options.host, options.port)
    sys.stdout.write(json.dumps({"base_url": server.base_url, "api_key": server.api_key}) + "\n")
    sys.stdout.flush()
    await finished.wait()
    await server.stop()


if __name__ == "__main__":
    main()
