"""What `dify-chat-bridge check` finds out about a server with OpenAI's API: address, certificate, key, models. Asks no model."""

from collections.abc import Sequence

from bridge.backends.openai.client import OpenAIClient
from bridge.backends.openai.errors import explain_refusal, fix_for
from bridge.backends.openai.prompting import find_placeholders
from bridge.backends.openai.settings import Settings
from bridge.errors import BackendError
from bridge.platform_api import Finding, Severity
from bridge.remote.framing import Json, text_of
from bridge.remote.plain import make_plain
from bridge.remote.refusing import Refusal

_MOST_NAMED = 12
_SUBJECT = "OpenAI API"
_USE_DIFY = 'Use backend = "dify" for this address, with the key of a Dify app.'


async def check_server(client: OpenAIClient, settings: Settings) -> Sequence[Finding]:
    """Never raises a `BackendError`: each becomes a finding."""
    findings: list[Finding] = []
    try:
        reply = await client.get("/models")
        if reply.status == 200 and isinstance(reply.read().get("data"), list):
            findings.append(_ok(_SUBJECT, f"{settings.openai_base_url} speaks it and accepts the key"))
            findings.append(_check_model(reply.read(), settings.openai_model))
        else:
            findings.append(await _explain_without_list(client, settings, reply))
    except BackendError as error:
        findings.append(_describe(error))
    return [*findings, *_describe_settings(settings)]


async def _explain_without_list(client: OpenAIClient, settings: Settings, reply: Refusal) -> Finding:
    """Not every server lists its models; one that speaks something else does not either."""
    error = explain_refusal(reply)
    if reply.status not in (404, 405, 200):
        return _describe(error)
    if await _speaks_dify(client):
        return _error(_SUBJECT, f"{settings.openai_base_url} speaks Dify's API and not OpenAI's", _USE_DIFY)
    if not reply.is_json:
        return _describe(error)
    return Finding(
        severity=Severity.WARNING,
        subject=_SUBJECT,
        problem=f"{settings.openai_base_url} does not list its models, so key and model cannot be checked",
        fix="Ask a question; if it is not answered, look into the log.",
    )


async def _speaks_dify(client: OpenAIClient) -> bool:
    reply = await client.get("/parameters")
    return "user_input_form" in reply.read() or text_of(reply.read(), "code") in ("unauthorized", "app_unavailable")


def _check_model(reply: Json, model: str) -> Finding:
    listed = reply.get("data")
    entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    names = list(dict.fromkeys(name for one in entries if (name := make_plain(text_of(one, "id")))))
    # Ollama lists `llama3.2:latest` and answers to `llama3.2` as well.
    if model in names or f"{model}:latest" in names:
        others = len(names) - 1
        return _ok("OpenAI model", f"the server has {model}" + (f" and {others} more" if others else ""))
    if not names:
        return Finding(
            severity=Severity.WARNING,
            subject="OpenAI model",
            problem="the server lists no models",
            fix="Look whether a model is loaded there.",
        )
    named = ", ".join(sorted(names)[:_MOST_NAMED]) + (" and more" if len(names) > _MOST_NAMED else "")
    return Finding(
        severity=Severity.WARNING,
        subject="OpenAI model",
        problem=f"the server does not list {model}; it has {named}",
        fix="Set OPENAI_MODEL to one of these, unless the server is known to take other names too.",
    )


def _describe_settings(settings: Settings) -> Sequence[Finding]:
    """What the operator chose, in words; none of it is wrong."""
    most = settings.openai_most_images
    told = f"up to {settings.openai_history_turns} earlier questions and answers, about {settings.openai_history_tokens} tokens"
    has_history = settings.openai_history_turns and settings.openai_history_tokens
    names = find_placeholders(settings.openai_system_prompt)
    findings = [
        _ok(
            "OpenAI history",
            f"the bridge tells the model {told}" if has_history else "none: each question stands alone",
        ),
        _ok("OpenAI images", f"up to {most} with a question" if most else "the model is shown none"),
    ]
    if names:
        findings.append(_ok("OpenAI inputs", f"the system prompt has places for {', '.join(names)}"))
    return findings


def _describe(error: BackendError) -> Finding:
    subject = "OpenAI key" if error.code in ("unauthorized", "forbidden", "quota") else _SUBJECT
    return _error(subject, str(error), fix_for(error.code) or "Look into the log of the server.")


def _ok(subject: str, what: str) -> Finding:
    return Finding(severity=Severity.OK, subject=subject, problem=what)


def _error(subject: str, problem: str, fix: str) -> Finding:
    return Finding(severity=Severity.ERROR, subject=subject, problem=problem, fix=fix)
