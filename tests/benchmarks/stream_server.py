"""`python -m tests.benchmarks.stream_server`: prints its port, and streams answers as Dify does, as fast as they are wanted.

The question is the plan: "fast 20000" is so many events in one go, "paced 200 0.02" so many with a pause of so many seconds
between them, "bulk 500000 5" so many bytes spread over so many seconds.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator

BATCH = 10
"""Events written at once, where many streams run side by side."""

_IDS = {
    "conversation_id": "0b9d9c4e-0a4b-4c9e-9a55-1234567890ab",
    "message_id": "5ad4cb98-f0c7-4085-b384-88c403be6290",
    "created_at": 1_763_700_000,
    "task_id": "900bbd43-dc0b-4383-a372-aa6e6c414227",
}


def event(answer: str) -> bytes:
    """As 1.12 writes a piece of text: some 300 bytes."""
    told = {"event": "message", **_IDS, "id": _IDS["message_id"], "answer": answer, "from_variable_selector": None}
    return b"data: " + json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def fast(count: int) -> bytes:
    """So many events, and the end."""
    return b"".join(event(f"wörd {number} ") for number in range(count)) + END


END = b"data: " + json.dumps({"event": "message_end", **_IDS, "metadata": {}}).encode() + b"\n\n"


async def pieces(plan: str) -> AsyncIterator[bytes]:
    name, first, *rest = plan.split()
    if name == "fast":
        whole = fast(int(first))
        for at in range(0, len(whole), 65536):
            yield whole[at : at + 65536]
    elif name == "paced":
        for _ in range(int(first)):
            yield event(f"{time.monotonic_ns()} ")
            await asyncio.sleep(float(rest[0]))
        yield END
    else:
        batch = b"".join(event(f"wörd {number} ") for number in range(BATCH))
        count = int(first) // len(batch)
        for _ in range(count):
            yield batch
            await asyncio.sleep(float(rest[0]) / count)
        yield END


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(head.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            body = json.loads(await reader.readexactly(size) or b"{}")
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Version: 1.12.1\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n"
            )
            async for piece in pieces(body["query"]):
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                await writer.drain()
            writer.write(b"0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
