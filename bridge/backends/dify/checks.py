"""What `dify-chat-bridge check` finds out about Dify: address, certificate, key, app type, inputs, version. Changes nothing."""

from collections.abc import Sequence

from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.errors import NOT_CHAT_APP, explain_refusal, fix_for
from bridge.backends.dify.kinds import Kind, kind_of, probe
from bridge.backends.dify.lacking import is_absent
from bridge.backends.dify.looking import look_over, offer_question
from bridge.backends.dify.parameters import Parameters, fetch_parameters, read_parameters
from bridge.backends.dify.settings import Settings, find_app_type
from bridge.backends.dify.sounds import TAKEN
from bridge.backends.dify.wording import find_variable
from bridge.errors import BackendError
from bridge.platform_api import Finding, Severity
from bridge.remote.framing import Json, text_of

# Measured: with a silent model the first byte came after 10.05 s (0.15.3) to 11.4 s (1.12.1).
SAFE_IDLE_SECONDS = 15.0

_USE_ANOTHER_APP = fix_for(NOT_CHAT_APP)


async def check_dify(client: DifyClient, settings: Settings) -> Sequence[Finding]:
    """Never raises a `BackendError`: each becomes a finding, and what depends on it is not tried."""
    findings: list[Finding] = []
    try:
        info = await _ask_info(client)
        findings.append(_ok("Dify address and key", f"{settings.dify_base_url} accepts the key"))
        finding, kind = await _check_app_type(client, settings, text_of(info, "mode"))
        findings.append(finding)
        if kind is not None:
            told = await fetch_parameters(client)
            parameters = read_parameters(told)
            about_question, taken = _check_question(parameters, settings, kind)
            findings += [*about_question, _describe_inputs(parameters, taken), *describe_features(parameters, kind)]
            if not client.version:
                findings += await look_over(client)
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


async def _ask_info(client: DifyClient) -> Json:
    """Nothing where the server only speaks like Dify, yet takes questions at this address and with this key."""
    reply = await client.call("GET", "/info")
    if is_absent(reply):
        offered = await offer_question(client)
        if is_absent(offered) or not offered.read() or offered.status in (401, 403) or offered.status >= 500:
            raise explain_refusal(offered)
        return {}
    if reply.status != 200 or not reply.read():
        raise explain_refusal(reply)
    return reply.read()


async def _check_app_type(client: DifyClient, settings: Settings, mode: str) -> tuple[Finding, Kind | None]:
    """What kind of app it is; None where nobody here could ask it."""
    subject = "Dify app"
    configured = settings.dify_app_type
    told = find_app_type(mode)
    if mode and told is None:
        problem = f"the key belongs to a {mode} app, which cannot be asked from a chat"
        return _error(subject, problem, _USE_ANOTHER_APP), None
    if told is None:
        # Before 1.0 nothing tells which of the apps with conversations it is, and nothing needs to know.
        kind = await probe(client) or (kind_of(configured) if configured is not None else Kind.CHAT)
        name = configured.value if configured is not None and kind_of(configured) is kind else kind.value
    else:
        kind, name = kind_of(told), mode
    if configured is not None and ((told is not None and configured is not told) or kind_of(configured) is not kind):
        return Finding(
            severity=Severity.WARNING,
            subject=subject,
            problem=f"DIFY_APP_TYPE says {configured.value}, but the key belongs to a {name} app",
            fix=f"Remove DIFY_APP_TYPE or set it to {name}.",
        ), kind
    alone = "" if kind is Kind.CHAT else "; each question stands alone, for such an app remembers nothing"
    return _ok(subject, f"{name} app{alone}"), kind


def _check_question(parameters: Parameters, settings: Settings, kind: Kind) -> tuple[Sequence[Finding], str]:
    """Where a question goes, and into which of the app's inputs, if any."""
    if kind is Kind.CHAT:
        return (), ""
    subject = "Dify question"
    try:
        found = find_variable(kind, parameters, settings.dify_query_input)
    except BackendError as error:
        return (_error(subject, str(error), error.fix),), ""
    if found is None:
        return (_ok(subject, "goes to the app beside its inputs"),), ""
    most = f", which takes at most {found.most:,} characters" if found.most else ""
    return (_ok(subject, f"goes into the input {found.name}{most}"),), found.name


def _describe_inputs(parameters: Parameters, taken: str) -> Finding:
    """Where their values come from is the bridge's affair, and told apart. `taken`: the one that the question goes into."""
    wanted = [one for one in parameters.variables if one.name != taken]
    names = ", ".join(f"{one.name}{' (required)' if one.required else ''}" for one in wanted)
    return _ok("Dify inputs", f"the app wants {names}" if wanted else "the app wants none besides the question")


def describe_features(parameters: Parameters, kind: Kind = Kind.CHAT) -> Sequence[Finding]:
    """What the app offers besides text. Each is the app's own choice, so none of it is wrong."""
    told = _describe_features(parameters)
    # What only apps with conversations can have is not named as missing.
    return told if kind is Kind.CHAT else [one for one in told if one.subject == "Dify files"]


def _describe_features(parameters: Parameters) -> Sequence[Finding]:
    rules = parameters.files
    kinds = ", ".join(sorted(rules.largest))
    for one in parameters.file_variables:
        kinds += f"; the input {one.name} {'must have one' if one.required else 'may have one'}"
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
