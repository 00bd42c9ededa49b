"""The command `check`: every part is tried for real, and each problem comes with its fix."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.clock import SystemClock
from bridge.errors import StoreError
from bridge.platform_api import Finding, Severity
from bridge.registry import Configuration
from bridge.storage.folder import folder_trouble
from bridge.storage.migrate import current_revision, head_revision
from bridge.storage.settings import Settings as DatabaseSettings

_MARKS = {Severity.OK: "ok", Severity.WARNING: "warning", Severity.ERROR: "ERROR"}


@dataclass(frozen=True, slots=True)
class PartFindings:
    """What one part of the bridge found out about itself."""

    part: str
    findings: Sequence[Finding]


async def check_all(configuration: Configuration) -> list[PartFindings]:
    """Tries platforms, backend and database one after the other. Raises nothing: problems are findings."""
    clock = SystemClock()
    found: list[PartFindings] = []
    for part in configuration.platforms:
        platform = part.create(clock)
        try:
            found.append(PartFindings(part.name, await platform.check()))
        finally:
            await platform.close()
    backend = configuration.backend.create(clock)
    try:
        found.append(PartFindings(configuration.backend.name, await backend.check()))
    finally:
        await backend.close()
    found.append(PartFindings("database", [await _check_database(configuration.database)]))
    return found


async def _check_database(settings: DatabaseSettings) -> Finding:
    head = head_revision()
    try:
        revision = await current_revision(settings)
    except StoreError as error:
        return Finding(
            severity=Severity.ERROR,
            subject="revision",
            problem=str(error),
            fix="Check DATABASE_URL, and that the database can be reached or its folder be written.",
        )
    trouble = "" if settings.shared or settings.path.exists() else folder_trouble(settings)
    if trouble:
        return Finding(
            severity=Severity.ERROR, subject="folder", problem=trouble, fix="See DATABASE_URL in .env.example."
        )
    if revision == head:
        return Finding(severity=Severity.OK, subject="revision", problem=f"at {head}, the newest")
    return Finding(
        severity=Severity.WARNING,
        subject="revision",
        problem="not created yet" if revision is None else f"at {revision}, the newest is {head}",
        fix="`dify-chat-bridge run` brings it there by itself, or run `dify-chat-bridge migrate` now.",
    )


_TABLE_WIDTH = 120
"""Columns below which a table of five columns cannot be read; findings are then told one below the other."""


def print_findings(found: Sequence[PartFindings]) -> int:
    """Prints a table, or lines on a narrow terminal. Returns 1 when anything is an error, else 0."""
    # Only this command draws tables; everything else starts without rich.
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, highlight=False)
    rows = [(part.part, one) for part in found for one in part.findings]
    if console.width >= _TABLE_WIDTH:
        table = Table()
        for title in ("Part", "What", "State", "Finding", "How to mend it"):
            table.add_column(title, overflow="fold")
        for name, one in rows:
            table.add_row(name, one.subject, _MARKS[one.severity], one.problem, one.fix)
        console.print(table)
    else:
        for name, one in rows:
            console.print(f"{_MARKS[one.severity]:<8} {name}, {one.subject}: {one.problem}")
            if one.fix:
                console.print(f"{'':<8} -> {one.fix}")
    failed = any(one.severity is Severity.ERROR for _, one in rows)
    console.print("Some things need mending." if failed else "All is well.")
    return 1 if failed else 0
