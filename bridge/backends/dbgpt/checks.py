"""What `dify-chat-bridge check` finds out about DB-GPT: address, key, what is asked, models, choices. Changes nothing."""

from collections.abc import Sequence

from bridge.backends.dbgpt.client import DbgptClient
from bridge.backends.dbgpt.errors import fix_for
from bridge.backends.dbgpt.listing import GROUPS, KeptListing, Listed, list_kind
from bridge.backends.dbgpt.modes import NEEDS, Kind
from bridge.backends.dbgpt.settings import Settings
from bridge.errors import BackendError
from bridge.platform_api import Finding, Severity

_MOST_NAMED = 10


async def check_dbgpt(client: DbgptClient, settings: Settings, listing: KeptListing) -> Sequence[Finding]:
    """Never raises a `BackendError`: each becomes a finding, and what depends on it is not tried."""
    findings: list[Finding] = []
    try:
        # This list is the one whose call looks at the key.
        sources = await list_kind(client, Kind.DATASOURCE)
        findings.append(_ok("DB-GPT address and key", f"{settings.base_url} answers"))
        if not settings.api_key:
            findings.append(
                Finding(
                    severity=Severity.WARNING,
                    subject="DB-GPT key",
                    problem="whoever reaches this DB-GPT may use it, and read every conversation in it",
                    fix="Set api_keys under [system] in DB-GPT's configuration and DBGPT_API_KEY here, and keep its port "
                    "private: some of its calls look at no key.",
                )
            )
        findings.append(await _check_target(client, settings, sources))
        findings.append(_check_model(settings, await list_kind(client, Kind.MODEL)))
        if settings.dbgpt_choices:
            findings.append(_check_choices(await listing.get(fresh=True)))
    except BackendError as error:
        findings.append(
            Finding(
                severity=Severity.ERROR,
                subject="DB-GPT key" if error.code == "unauthorized" else "DB-GPT address",
                problem=str(error),
                fix=fix_for(error.code) or "Look into the log of the DB-GPT server.",
            )
        )
    return findings


async def _check_target(client: DbgptClient, settings: Settings, sources: Sequence[Listed]) -> Finding:
    kind = NEEDS.get(settings.dbgpt_chat_mode)
    mode, param = settings.dbgpt_chat_mode.value, settings.dbgpt_chat_param
    if kind is None:
        return _ok("DB-GPT app", f"{mode}: questions go to the model")
    listed = sources if kind is Kind.DATASOURCE else await list_kind(client, kind)
    found = next((one for one in listed if one.param == param), None)
    if found is not None:
        label = f" ({found.choice.label})" if found.choice.label != param else ""
        return _ok("DB-GPT app", f"{mode}: questions go to {param}{label}")
    return _error(
        "DB-GPT app",
        f"DB-GPT lists no {GROUPS[kind].lower()} that can be asked and is called {param}",
        f"Set DBGPT_CHAT_PARAM to one of: {_name_some([one.param for one in listed])}.",
    )


def _check_model(settings: Settings, models: Sequence[Listed]) -> Finding:
    names = [model.param for model in models]
    if not names:
        return _error("DB-GPT model", "no model runs in DB-GPT", "Start one in DB-GPT, on its page Models.")
    if settings.dbgpt_model and settings.dbgpt_model not in names:
        return _error(
            "DB-GPT model",
            f"no model called {settings.dbgpt_model} runs in DB-GPT",
            f"Set DBGPT_MODEL to one of: {_name_some(names)}; or remove it.",
        )
    return _ok("DB-GPT model", settings.dbgpt_model or f"its default, of {_name_some(names)}")


def _check_choices(listed: Sequence[Listed]) -> Finding:
    if not listed:
        return Finding(
            severity=Severity.WARNING,
            subject="DBGPT_CHOICES",
            problem="DB-GPT lists nothing of that, so members have nothing to choose",
            fix="Make some in DB-GPT, or remove DBGPT_CHOICES.",
        )
    return _ok("DB-GPT choices", f"members may choose {_name_some([one.choice.label for one in listed])}")


def _name_some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED]) or '(none)'}{more}"


def _ok(subject: str, problem: str) -> Finding:
    return Finding(severity=Severity.OK, subject=subject, problem=problem)


def _error(subject: str, problem: str, fix: str) -> Finding:
    return Finding(severity=Severity.ERROR, subject=subject, problem=problem, fix=fix)
