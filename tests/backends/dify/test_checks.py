"""`check`: every way in which a Dify connection is set up wrongly has a finding of its own, with its own fix."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bridge.clock import SystemClock
from bridge.platform_api import Finding, Severity
from bridge.playground.dify import DifyServer
from bridge.playground.dify.inputs import form_field
from tests.backends.dify.asking import ask, hear, make_backend

CERTIFICATES = Path(__file__).parent / "certificates"


async def check(base_url: str, **settings: object) -> list[Finding]:
    backend = make_backend(base_url, **settings)
    try:
        return list(await backend.check())
    finally:
        await backend.close()


def only_problem(findings: list[Finding]) -> Finding:
    (problem,) = [finding for finding in findings if finding.severity is not Severity.OK]
    assert problem.fix.endswith(".")
    return problem


@pytest.fixture
async def server() -> AsyncIterator[DifyServer]:
    server = DifyServer(SystemClock())
    await server.start()
    yield server
    await server.stop()


async def test_all_is_well(server: DifyServer) -> None:
    findings = await check(server.base_url, dify_api_key=server.api_key, dify_app_type="chat")

    assert {finding.severity for finding in findings} == {Severity.OK}
    assert "1.12.1" in [finding.problem for finding in findings]
    assert server.requests == []


async def test_a_wrong_key(server: DifyServer) -> None:
    problem = only_problem(await check(server.base_url))

    assert (problem.severity, problem.subject) == (Severity.ERROR, "Dify key")
    assert "DIFY_API_KEY" in problem.fix


async def test_a_wrong_path(server: DifyServer) -> None:
    problem = only_problem(await check(server.base_url + "/api", dify_api_key=server.api_key))

    assert "should end in /v1" in problem.fix


async def test_nothing_listens() -> None:
    problem = only_problem(await check("http://127.0.0.1:9/v1"))

    assert "nothing listens" in problem.problem
    assert "localhost is the container itself" in problem.fix


async def test_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> object:
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", fail)
    monkeypatch.setattr(aiohttp.DefaultResolver, "resolve", fail)

    problem = only_problem(await check("http://dify.invalid/v1"))

    assert "is not known" in problem.problem
    assert "host name" in problem.fix


async def test_a_redirect() -> None:
    async def redirect(request: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": "https://dify.example.com/v1/info"})

    app = web.Application()
    app.router.add_get("/v1/info", redirect)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    problem = only_problem(await check(f"http://127.0.0.1:{runner.addresses[0][1]}/v1"))
    await runner.cleanup()

    assert "https://dify.example.com/v1/info" in problem.problem
    assert "DIFY_BASE_URL" in problem.fix


@pytest.mark.parametrize(("mode", "variable"), [("completion", "query"), ("workflow", "text")])
@pytest.mark.parametrize("version", ["0.15.3", "1.12.1"])
async def test_an_app_without_conversations_is_named_with_where_a_question_goes(
    mode: str, variable: str, version: str
) -> None:
    server = DifyServer(SystemClock(), mode=mode, version=version)
    await server.start()
    findings = {finding.subject: finding for finding in await check(server.base_url, dify_api_key=server.api_key)}
    await server.stop()

    assert {finding.severity for finding in findings.values()} == {Severity.OK}
    assert findings["Dify app"].problem == (
        f"{mode} app; each question stands alone, for such an app remembers nothing"
    )
    assert findings["Dify question"].problem == f"goes into the input {variable}, which takes at most 4,000 characters"
    assert "Dify follow-up questions" not in findings


async def test_a_workflow_that_leaves_open_where_a_question_goes_names_its_inputs() -> None:
    server = DifyServer(SystemClock(), mode="workflow")
    server.required_inputs.append("topic")
    await server.start()
    unclear = await check(server.base_url, dify_api_key=server.api_key)
    wrong = await check(server.base_url, dify_api_key=server.api_key, dify_query_input="question")
    chosen = await check(server.base_url, dify_api_key=server.api_key, dify_query_input="topic")
    await server.stop()

    for findings, fix in ((unclear, "Set DIFY_QUERY_INPUT to the name"), (wrong, "Set DIFY_QUERY_INPUT to one of")):
        (problem,) = [finding for finding in findings if finding.subject == "Dify question"]
        assert problem.severity is Severity.ERROR
        assert "it has text, topic" in problem.problem
        assert problem.fix.startswith(fix)
    # What is left over is an input like others.
    told = {finding.subject: finding for finding in chosen}
    assert told["Dify question"].severity is Severity.OK
    assert told["Dify inputs"].problem == "the app wants text (required)"


async def test_an_app_of_a_kind_that_nobody_can_ask() -> None:
    server = DifyServer(SystemClock(), mode="rag-pipeline")
    await server.start()
    problem = only_problem(await check(server.base_url, dify_api_key=server.api_key))
    backend = make_backend(server.base_url, dify_api_key=server.api_key)
    outcome = await hear(backend.answer(ask()))
    await backend.close()
    await server.stop()

    assert (problem.severity, problem.subject) == (Severity.ERROR, "Dify app")
    assert "rag-pipeline" in problem.problem
    assert "chat, agent, chatflow, completion or workflow" in problem.fix
    assert outcome.ending == "BackendMisconfigured"
    assert "rag-pipeline" in str(outcome.error)


async def test_an_app_type_that_contradicts_the_server(server: DifyServer) -> None:
    problem = only_problem(await check(server.base_url, dify_api_key=server.api_key, dify_app_type="chatflow"))

    assert problem.severity is Severity.WARNING
    assert "set it to chat" in problem.fix


async def test_an_old_server_that_does_not_tell_the_app_type_is_tried_out() -> None:
    server = DifyServer(SystemClock(), version="0.15.3")
    await server.start()
    unsaid = await check(server.base_url, dify_api_key=server.api_key)
    told = await check(server.base_url, dify_api_key=server.api_key, dify_app_type="agent")
    wrong = await check(server.base_url, dify_api_key=server.api_key, dify_app_type="workflow")
    await server.stop()

    assert {finding.severity for finding in unsaid} == {Severity.OK}
    assert "chat app" in [finding.problem for finding in unsaid]
    assert "agent-chat app" in [finding.problem for finding in told]
    assert "belongs to a chat app" in only_problem(wrong).problem
    assert server.requests == []


async def test_what_the_app_wants_to_know_is_listed(server: DifyServer) -> None:
    server.required_inputs.extend(["team", "region"])
    server.form.append(form_field("number", "level", required=False))

    (told,) = [one for one in await check(server.base_url, dify_api_key=server.api_key) if one.subject == "Dify inputs"]

    assert told.severity is Severity.OK, "where their values come from is the bridge's affair"
    assert told.problem == "the app wants team (required), region (required), level"


async def test_an_idle_limit_that_would_cut_healthy_answers(server: DifyServer) -> None:
    problem = only_problem(await check(server.base_url, dify_api_key=server.api_key, dify_idle_timeout=10))

    assert problem.severity is Severity.WARNING
    assert problem.subject == "DIFY_IDLE_TIMEOUT"


class TestCertificates:
    @pytest.fixture
    async def tls_url(self) -> AsyncIterator[str]:
        async def info(request: web.Request) -> web.Response:
            return web.json_response({"mode": "chat", "user_input_form": []})

        app = web.Application()
        app.router.add_get("/v1/{path}", info)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATES / "server.pem")
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield f"https://127.0.0.1:{runner.addresses[0][1]}/v1"
        await runner.cleanup()

    async def test_a_private_authority_is_named_in_the_fix(self, tls_url: str) -> None:
        problem = only_problem(await check(tls_url))

        assert "certificate" in problem.problem
        assert "DIFY_CA_FILE" in problem.fix

    async def test_a_private_authority_is_trusted_once_it_is_named(self, tls_url: str) -> None:
        findings = await check(tls_url, dify_ca_file=CERTIFICATES / "ca.pem")

        assert {finding.severity for finding in findings} == {Severity.OK}

    async def test_trusting_an_authority_still_checks_the_name(self, tls_url: str) -> None:
        problem = only_problem(
            await check(tls_url.replace("127.0.0.1", "localhost"), dify_ca_file=CERTIFICATES / "ca.pem")
        )

        assert "Use a host name that is in the certificate" in problem.fix

    async def test_plain_http_where_tls_is_expected(self, server: DifyServer) -> None:
        problem = only_problem(await check(server.base_url.replace("http://", "https://")))

        assert "does not speak TLS" in problem.problem

    async def test_an_untrusted_certificate_is_not_tried_twice_and_nothing_is_asked(self, tls_url: str) -> None:
        backend = make_backend(tls_url)
        outcome = await hear(backend.answer(ask()))
        await backend.close()

        assert outcome.ending == "BackendMisconfigured"
        assert outcome.error is not None
        assert not outcome.error.accepted
