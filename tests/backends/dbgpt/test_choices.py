"""What members may choose: read from DB-GPT's lists, of which nothing but names is passed on."""

import pytest

from bridge.errors import QuestionRefused
from tests.backends.dbgpt.asking import question, serving
from tests.backends.dify.asking import hear

ALL = "knowledge,datasources,apps,flows,models"


async def test_everything_that_is_listed_and_can_be_asked_is_offered_in_groups() -> None:
    async with serving(dbgpt_choices=ALL) as (_, backend):
        choices = await backend.choices()

        assert [(one.group, one.label) for one in choices] == [
            ("Knowledge space", "handbook"),
            ("Knowledge space", "contracts"),
            ("Data source", "sqlite_shop"),
            ("App", "Helper bot"),
            ("Flow", "Greeting flow"),
            ("Model", "fake"),
            ("Model", "other-model"),
        ]
        assert len({one.id for one in choices}) == len(choices)
        assert all(len(one.id) <= 40 for one in choices)
        assert "password" not in repr(choices)


async def test_only_the_kinds_that_the_operator_named_are_offered() -> None:
    async with serving(dbgpt_choices="models") as (server, backend):
        assert {one.group for one in await backend.choices()} == {"Model"}
        assert server.calls == ["GET /api/v2/serve/model/models"]


async def test_nothing_is_offered_and_nobody_asked_where_the_operator_allows_no_choice() -> None:
    async with serving() as (server, backend):
        assert await backend.choices() == ()
        assert server.calls == []


@pytest.mark.parametrize(
    ("usual", "label", "mode", "param", "model"),
    [
        ({}, "handbook", "chat_knowledge", "handbook", ""),
        ({}, "sqlite_shop", "chat_data", "sqlite_shop", ""),
        (
            {"dbgpt_chat_mode": "chat_with_db_qa", "dbgpt_chat_param": "other"},
            "sqlite_shop",
            "chat_with_db_qa",
            "sqlite_shop",
            "",
        ),
        ({}, "Helper bot", "chat_app", "app-helper", ""),
        ({}, "Greeting flow", "chat_flow", "flow-1", ""),
        (
            {"dbgpt_chat_mode": "chat_knowledge", "dbgpt_chat_param": "handbook"},
            "other-model",
            "chat_knowledge",
            "handbook",
            "other-model",
        ),
    ],
)
async def test_a_question_is_put_to_what_was_chosen(
    usual: dict[str, object], label: str, mode: str, param: str, model: str
) -> None:
    async with serving(dbgpt_choices=ALL, **usual) as (server, backend):
        chosen = next(one.id for one in await backend.choices() if one.label == label)

        await hear(backend.answer(question(choice=chosen)))

        body = server.requests[0].body
        assert (body["chat_mode"], body.get("chat_param", ""), body["model"]) == (mode, param, model)


async def test_a_choice_that_is_gone_is_refused_before_anything_is_asked() -> None:
    async with serving(dbgpt_choices=ALL) as (server, backend):
        chosen = next(one.id for one in await backend.choices() if one.label == "handbook")
        server.listings.spaces.remove("handbook")
        await backend._listing.get(fresh=True)  # the time has come to look again

        heard = await hear(backend.answer(question(choice=chosen)))

        assert isinstance(heard.error, QuestionRefused)
        assert heard.error.code == "choice_gone"
        assert heard.error.user_message == "What was chosen to answer here is no longer there. Please choose again."
        assert server.requests == []


async def test_a_choice_that_came_since_the_last_look_is_known() -> None:
    async with serving(dbgpt_choices="knowledge", dbgpt_listing_age=86400) as (server, backend):
        await backend.choices()
        server.listings.spaces.append("new")
        async with serving(dbgpt_choices="knowledge") as (other, second):
            other.listings.spaces.append("new")
            chosen = next(one.id for one in await second.choices() if one.label == "new")

        heard = await hear(backend.answer(question(choice=chosen)))

        assert heard.ending == "completed"
        assert server.requests[0].body["chat_param"] == "new"


async def test_lists_are_kept_for_a_while() -> None:
    async with serving(dbgpt_choices="models", dbgpt_listing_age=86400) as (server, backend):
        await backend.choices()
        await backend.choices()

        assert len(server.calls) == 1
