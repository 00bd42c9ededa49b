"""What `dify-chat-bridge check` finds out about Dify: address, certificate, key, app type, inputs, version. Changes nothing."""

from collections.abc import Sequence

from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.errors import explain_refusal, fix_for
from bridge.backends.dify.parameters import Parameters, fetch_parameters, read_parameters
from bridge.backends.dify.settings import Settings, find_app_type
from bridge.backends.dify.sounds import TAKEN
from bridge.errors import BackendError
from bridge.platform_api import Finding, Severity
from bridge.remote.framing import Json, text_of
from bridge.remote.refusing import Refusal

# Measured: with a silent model the first byte came after 10.05 s (0.15.3) to 11.4 s (1.12.1).
SAFE_IDLE_SECONDS = 15.0

_NO_TASK = "00000000-0000-0000-0000-000000000000"
_CHECK_USER = "dify-chat-bridge-check"
_USE_ANOTHER_APP = "Use the key of a chat, agent or chatflow app in DIFY_API_KEY."


async def check_dify(client: DifyClient, settings: Settings) -> Sequence[Finding]:
    """Never raises a `BackendError`: each becomes a finding, and what depends on it is not tried."""
    findings: list[Finding] = []
    try:
        info = await _fetch(client, "/info")
        findings.append(_ok("Dify address and key", f"{settings.dify_base_url} accepts the key"))
        findings.append(await _check_app_type(client, settings, text_of(info, "mode")))
        if findings[-1].severity is not Severity.ERROR:
            told = await fetch_parameters(client)
            findings.append(_check_inputs(told))
            findings += describe_features(read_parameters(told))
    except BackendError as error:
        findings.append(describe(error))
    if client.version:
        findings.append(_ok("Dify version", client.version))
    if settings.dify_idle_timeout < SAFE_IDLE_SECONDS:
        findings.append(
            Finding(
                severity=Severity.WARNING,
                subject="DIFY_IDLE_TIMEOUT",
                problem=f"{settings.dify_idle_timeout:g} s is too short: a healthy Dify says nothing for up to 12 s",
                fix="Remove DIFY_IDLE_TIMEOUT or set it to 60.",
            )
        )
    return findings


def describe(error: BackendError) -> Finding:
    subjects = {
        "unauthorized": "Dify key",
        "forbidden": "Dify app",
        "app_unavailable": "Dify app",
        "not_chat_app": "Dify app",
    }
    return Finding(
        severity=Severity.ERROR,
        subject=subjects.get(error.code, "Dify address"),
        problem=str(error),
        fix=fix_for(error.code) or "Look into the log of the Dify server.",
    )


async def ask_mode(client: DifyClient) -> str:
    """The app's mode as `GET /info` tells it since 1.0; "" before. Raises `BackendError`."""
    return text_of(await _fetch(client, "/info"), "mode")


async def _fetch(client: DifyClient, path: str) -> Json:
    reply: Refusal = await client.call("GET", path)
    if reply.status != 200 or not reply.read():
        raise explain_refusal(reply)
    return reply.read()


async def _check_app_type(client: DifyClient, settings: Settings, mode: str) -> Finding:
    subject = "Dify app"
    configured = settings.dify_app_type
    if mode and find_app_type(mode) is None:
        return _error(subject, f"the key belongs to a {mode} app, which cannot hold a conversation", _USE_ANOTHER_APP)
    if not mode and not await _takes_chat_calls(client):
        return _error(subject, "the key belongs to an app that cannot hold a conversation", _USE_ANOTHER_APP)
    if not mode and configured is None:
        return Finding(
            severity=Severity.WARNING,
            subject=subject,
            problem="this version of Dify does not tell what kind of app it is; a chat app is assumed",
            fix="Set DIFY_APP_TYPE to chat, agent-chat or advanced-chat.",
        )
    if mode and configured is not None and configured != mode:
        return Finding(
            severity=Severity.WARNING,
            subject=subject,
            problem=f"DIFY_APP_TYPE says {configured.value}, but the key belongs to a {mode} app",
            fix=f"Remove DIFY_APP_TYPE or set it to {mode}.",
        )
    return _ok(subject, f"{mode or configured} app")


async def _takes_chat_calls(client: DifyClient) -> bool:
    """Stopping a task that does not exist succeeds for every kind of chat app and is refused for all others."""
    reply = await client.call("POST", f"/chat-messages/{_NO_TASK}/stop", body={"user": _CHECK_USER})
    return text_of(reply.read(), "code") != "not_chat_app"


def _check_inputs(parameters: Json) -> Finding:
    form = parameters.get("user_input_form")
    entries = form if isinstance(form, list) else []
    # Each entry is an object with one key, the kind of field.
    fields = [
        field for entry in entries if isinstance(entry, dict) for field in entry.values() if isinstance(field, dict)
    ]
    needed = [
        text_of(field, "variable") or text_of(field, "label") for field in fields if field.get("required") is True
    ]
    if not needed:
        return _ok("Dify inputs", "the app needs none that the bridge does not give")
    names = ", ".join(needed)
    return _error(
        "Dify inputs",
        f"the app requires inputs that the bridge does not give: {names}",
        "Make them optional in the app's settings in Dify.",
    )


def describe_features(parameters: Parameters) -> Sequence[Finding]:
    """What the app offers besides text. Each is the app's own choice, so none of it is wrong."""
    rules = parameters.files
    kinds = ", ".join(sorted(rules.largest))
    takes = f"takes up to {rules.most} file{'s' if rules.most > 1 else ''} with a question ({kinds})"
    return [
        _ok("Dify files", takes if rules.most else "the app takes none (switched off in the app's features)"),
        _ok(
            "Dify follow-up questions",
            "suggested after an answer" if parameters.suggests else "none (switched off in the app's features)",
        ),
        _ok(
            "Dify citations",
            "told where the app's knowledge was used"
            if parameters.cites
            else "none (switched off in the app's features)",
        ),
        _ok(
            "Dify speech to text",
            f"voice messages become questions where they are {TAKEN}, the kinds that Dify listens to"
            if parameters.hears
            else "the app listens to no voice messages (switched off in the app's features)",
        ),
    ]


def _ok(subject: str, what: str) -> Finding:
    return Finding(severity=Severity.OK, subject=subject, problem=what)


def _error(subject: str, problem: str, fix: str) -> Finding:
    return Finding(severity=Severity.ERROR, subject=subject, problem=problem, fix=fix)
