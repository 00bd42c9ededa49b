"""What `check` says of a DB-GPT."""

from bridge.platform_api import Finding, Severity
from tests.backends.dbgpt.asking import serving


def wrong(findings: object) -> list[tuple[str, str, str]]:
    assert isinstance(findings, list)
    return [(one.subject, one.problem, one.fix) for one in findings if one.severity is not Severity.OK]


async def test_a_good_server_is_told_with_what_is_asked_and_offered() -> None:
    settings = {"dbgpt_chat_mode": "chat_app", "dbgpt_chat_param": "app-helper", "dbgpt_choices": "models"}
    async with serving(**settings) as (server, backend):
        findings: list[Finding] = list(await backend.check())

        assert wrong(findings) == []
        assert [(one.subject, one.problem) for one in findings] == [
            ("DB-GPT address and key", f"{server.base_url} answers"),
            ("DB-GPT app", "chat_app: questions go to app-helper (Helper bot)"),
            ("DB-GPT model", "its default, of fake, other-model"),
            ("DB-GPT choices", "members may choose fake, other-model"),
        ]
        assert server.requests == []


async def test_a_wrong_key_is_named() -> None:
    async with serving(dbgpt_api_key="another-key") as (_, backend):
        ((subject, problem, fix),) = wrong(list(await backend.check()))

        assert subject == "DB-GPT key"
        assert "401" in problem
        assert "another-key" not in problem + fix
        assert fix.startswith("Set DBGPT_API_KEY to one of the api_keys")


async def test_what_is_not_listed_is_named_with_what_there_is() -> None:
    settings = {"dbgpt_chat_mode": "chat_knowledge", "dbgpt_chat_param": "handbok", "dbgpt_model": "gpt"}
    async with serving(**settings) as (_, backend):
        assert wrong(list(await backend.check())) == [
            (
                "DB-GPT app",
                "DB-GPT lists no knowledge space that can be asked and is called handbok",
                "Set DBGPT_CHAT_PARAM to one of: handbook, contracts.",
            ),
            (
                "DB-GPT model",
                "no model called gpt runs in DB-GPT",
                "Set DBGPT_MODEL to one of: fake, other-model; or remove it.",
            ),
        ]


async def test_a_built_in_app_is_not_among_those_that_can_be_asked() -> None:
    async with serving(dbgpt_chat_mode="chat_app", dbgpt_chat_param="chat_normal") as (_, backend):
        ((subject, _, fix),) = wrong(list(await backend.check()))

        assert subject == "DB-GPT app"
        assert fix == "Set DBGPT_CHAT_PARAM to one of: app-helper."


async def test_a_server_that_lets_everybody_in_is_warned_about() -> None:
    async with serving(dbgpt_api_key=None) as (server, backend):
        server.let_everybody_in()

        ((subject, problem, _),) = wrong(list(await backend.check()))

        assert subject == "DB-GPT key"
        assert "whoever reaches this DB-GPT" in problem


async def test_choices_of_which_there_are_none_are_warned_about() -> None:
    async with serving(dbgpt_choices="flows") as (server, backend):
        server.listings.flows.clear()

        assert [subject for subject, _, _ in wrong(list(await backend.check()))] == ["DBGPT_CHOICES"]
