"""Several workspaces, people from other companies, organisations: whose token does what, and who is told what."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import Channel, SlackServer
from bridge.playground.slack.model import JsonObject
from tests.playground.slack.peers import MENTION, SOON, bolt_on_sockets, error_of, web_client

DIVIDER: JsonObject = {"type": "divider"}


@pytest.fixture(autouse=True)
def no_retries(server: SlackServer) -> None:
    server.retry_schedule = ()


def authorization(payload: JsonObject) -> JsonObject:
    authorizations = payload["authorizations"]
    assert isinstance(authorizations, list)
    return dict(authorizations[0])


async def test_each_workspace_has_its_own_people_channels_bot_and_token(
    server: SlackServer, client: AsyncWebClient
) -> None:
    other = server.add_workspace("T0OTHER", "Other")
    theirs = web_client(server, other.bot_token)
    me, them = await client.auth_test(), await theirs.auth_test()
    assert (me["team_id"], me["user_id"], me["bot_id"]) == ("T0PLAYGROUND", "U0BRIDGE", "B0BRIDGE")
    assert (them["team_id"], them["user_id"], them["bot_id"]) == ("T0OTHER", "U1BRIDGE", "B1BRIDGE")
    assert await error_of(client.chat_postMessage(channel="C1GENERAL", text="x")) == "channel_not_found"
    assert await error_of(theirs.chat_postMessage(channel="C0GENERAL", text="x")) == "channel_not_found"
    posted = await theirs.chat_postMessage(channel="C1GENERAL", text="hello")
    assert (posted["message"]["user"], posted["message"]["team"]) == ("U1BRIDGE", "T0OTHER")
    assert [message.text for message in server.messages("C1GENERAL")] == ["hello"]
    assert await error_of(client.users_info(user="U1ADA")) == "user_not_found"
    assert (await theirs.users_info(user="U1ADA"))["user"]["team_id"] == "T0OTHER"
    other.scopes = []
    assert await error_of(theirs.chat_postMessage(channel="C1GENERAL", text="x")) == "missing_scope"
    assert await error_of(client.chat_postMessage(channel="C0GENERAL", text="x")) == ""
    assert [call.team for call in server.calls][-2:] == ["T0OTHER", "T0PLAYGROUND"]
    with pytest.raises(ValueError, match="T0OTHER"):
        server.add_workspace("T0OTHER", "Again")


async def test_one_app_hears_all_workspaces_and_the_envelope_says_which(server: SlackServer) -> None:
    server.add_workspace("T0OTHER", "Other")
    async with bolt_on_sockets(server) as heard:
        await server.post_as("U0ADA", "C0GENERAL", "here")
        await server.post_as("U1ADA", "C1GENERAL", "there")
        await server.post_as("U1ADA", "C1GENERAL", f"{MENTION} is nobody there")
        await server.post_as("U1ADA", "C1GENERAL", "<@U1BRIDGE> hi")
        await server.idle(SOON)
    teams = sorted(str(body["team_id"]) for body in heard.bodies)
    assert teams == ["T0OTHER"] * 4 + ["T0PLAYGROUND"]
    mention = next(body for body in heard.bodies if body["event"]["type"] == "app_mention")  # type: ignore[index]
    assert (authorization(mention)["user_id"], authorization(mention)["team_id"]) == ("U1BRIDGE", "T0OTHER")
    assert len({str(body["event_id"]) for body in heard.bodies}) == 5


async def test_each_workspace_has_buckets_of_its_own(server: SlackServer, client: AsyncWebClient) -> None:
    other = server.add_workspace("T0OTHER", "Other")
    server.rate_limits["users.info"] = 1
    await client.users_info(user="U0ADA")
    assert await error_of(client.users_info(user="U0ADA")) == "ratelimited"
    theirs = web_client(server, other.bot_token)
    assert await error_of(theirs.users_info(user="U1ADA")) == ""
    assert await error_of(theirs.users_info(user="U1ADA")) == "ratelimited"


async def test_files_and_modals_of_two_workspaces_do_not_meet(server: SlackServer, client: AsyncWebClient) -> None:
    other = server.add_workspace("T0OTHER", "Other")
    theirs = web_client(server, other.bot_token)
    for who, channel in ((client, "C0GENERAL"), (theirs, "C1GENERAL")):
        await who.files_upload_v2(channel=channel, filename="a.txt", content=channel)
    await _until_shared(server, "C0GENERAL")
    await _until_shared(server, "C1GENERAL")
    [here], [there] = (server.messages(channel)[0].files for channel in ("C0GENERAL", "C1GENERAL"))
    assert here.id != there.id
    views = []
    for who, person in ((client, "U0ADA"), (theirs, "U1ADA")):
        published = await who.views_publish(user_id=person, view={"type": "home", "blocks": [DIVIDER]})
        views.append(published["view"]["id"])
    assert views[0] != views[1]


async def _until_shared(server: SlackServer, channel: str) -> None:
    clock = server.workspace.clock
    for _ in range(100):
        if server.messages(channel):
            return
        await clock.sleep(0.02)
    raise AssertionError("the file was not shared")


# Other companies


async def test_a_message_from_another_company_names_it_everywhere_but_in_the_authorization(server: SlackServer) -> None:
    person = server.add_stranger("C0SUPPORT", "Zoe", "T0ELSEWHERE")
    await server.post_as("U0ADA", "C0SUPPORT", "hello")
    ts = await server.post_as(person.id, "C0SUPPORT", f"{MENTION} hi")
    await server.edit_as(person.id, "C0SUPPORT", ts, f"{MENTION} hello")
    await server.react(person.id, "C0SUPPORT", ts, "eyes")
    own, *foreign = (one.payload for one in server.deliveries)
    assert (own["team_id"], own["is_ext_shared_channel"]) == ("T0PLAYGROUND", True)
    assert "user_team" not in own["event"]  # type: ignore[operator]
    assert len(foreign) == 4
    for payload in foreign:
        assert (payload["team_id"], payload["context_team_id"]) == ("T0ELSEWHERE", "T0PLAYGROUND")
        assert authorization(payload)["team_id"] == "T0PLAYGROUND"
        assert payload["is_ext_shared_channel"] is True
    messages = [one["event"] for one in foreign if one["event"]["type"] in ("message", "app_mention")]  # type: ignore[index]
    told = [event.get("message", event) for event in messages]  # type: ignore[attr-defined]
    assert {(one["team"], one["user_team"], one["source_team"]) for one in told} == {("T0ELSEWHERE",) * 3}


async def test_a_stranger_is_known_as_one_and_has_no_app_of_ours(server: SlackServer, client: AsyncWebClient) -> None:
    person = server.add_stranger("C0SUPPORT", "Zoe")
    known = (await client.users_info(user=person.id))["user"]
    assert (known["team_id"], known["is_stranger"]) == ("T0ELSEWHERE", True)
    assert (await client.users_info(user="U0ADA"))["user"]["is_stranger"] is False
    with pytest.raises(ValueError, match="not in C0GENERAL"):
        await server.post_as(person.id, "C0GENERAL", "x")
    for attempt in (server.open_home, server.open_dm):
        with pytest.raises(ValueError, match="workspace"):
            await attempt(person.id)
    with pytest.raises(ValueError, match="direct message"):
        server.add_stranger("D0ADA", "Yan")
    assert server.add_stranger("C0GENERAL", "Zoe") == person
    with pytest.raises(ValueError, match="elsewhere already"):
        server.add_stranger("C0GENERAL", "Zoe", "T0THIRD")


# Organisations


async def test_a_workspace_of_an_organisation_may_have_the_app_for_itself(server: SlackServer) -> None:
    workspace = server.add_workspace("T0SALES", "Sales", "E0ORG")
    await server.post_as("W1ADA", "C1GENERAL", "hi")
    payload = server.deliveries[0].payload
    assert (payload["team_id"], payload["enterprise_id"]) == ("T0SALES", "E0ORG")
    assert authorization(payload) == {
        "enterprise_id": "E0ORG",
        "team_id": "T0SALES",
        "user_id": workspace.bot_user_id,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    known = await web_client(server, workspace.bot_token).auth_test()
    assert (known["enterprise_id"], known["team_id"], known["is_enterprise_install"]) == ("E0ORG", "T0SALES", False)


async def test_an_installation_for_an_organisation_is_one_token_and_one_bot_for_all_its_workspaces(
    server: SlackServer,
) -> None:
    sales = server.add_workspace("T0SALES", "Sales", "E0ORG", org_wide=True)
    legal = server.add_workspace("T0LEGAL", "Legal", "E0ORG", org_wide=True)
    assert (sales.bot_token, sales.bot_user_id) == (legal.bot_token, legal.bot_user_id)
    client = web_client(server, sales.bot_token)
    await client.chat_postMessage(channel="C2GENERAL", text="to legal")
    await client.chat_postMessage(channel="C1GENERAL", text="to sales")
    assert [call.team for call in server.calls] == ["T0LEGAL", "T0SALES"]
    assert (await client.users_info(user="W2ADA"))["user"]["team_id"] == "T0LEGAL"
    before = len(server.deliveries)
    await server.post_as("W2ADA", "C2GENERAL", "hi")
    payload = server.deliveries[before].payload
    assert (payload["team_id"], payload["enterprise_id"]) == ("T0LEGAL", "E0ORG")
    assert authorization(payload) == {
        "enterprise_id": "E0ORG",
        "team_id": None,
        "user_id": sales.bot_user_id,
        "is_bot": True,
        "is_enterprise_install": True,
    }
    act = await server.command("W2ADA", "C2GENERAL", "/ask", "x")
    assert (act.payload["team_id"], act.payload["is_enterprise_install"]) == ("T0LEGAL", "true")
    assert act.payload["enterprise_id"] == "E0ORG"
    ts = server.messages("C2GENERAL")[-1].ts
    shortcut = await server.shortcut("W2ADA", "ask_message", "C2GENERAL", ts)
    assert (shortcut.payload["team"], shortcut.payload["is_enterprise_install"]) == (None, True)
    assert shortcut.payload["user"]["team_id"] == "T0LEGAL"  # type: ignore[index]
    await server.idle(SOON)


async def test_a_method_about_one_workspace_must_be_told_which_with_a_token_of_an_organisation(
    server: SlackServer,
) -> None:
    sales = server.add_workspace("T0SALES", "Sales", "E0ORG", org_wide=True)
    client = web_client(server, sales.bot_token)
    assert await error_of(client.bots_info(bot=sales.bot_id)) == "missing_argument"
    assert await error_of(client.bots_info(bot=sales.bot_id, team_id="T0SALES")) == ""
    assert (await client.auth_test())["is_enterprise_install"] is True


# Coming and going


async def test_an_invited_bot_hears_of_it_and_of_what_follows_until_it_is_removed(server: SlackServer) -> None:
    server.channels["C0OTHER"] = Channel(id="C0OTHER", name="other", members={"U0ADA"})
    await server.post_as("U0ADA", "C0OTHER", "unheard")
    await server.invite_bot("U0ADA", "C0OTHER")
    await server.post_as("U0ADA", "C0OTHER", "heard")
    await server.kick_bot("U0ADA", "C0OTHER")
    await server.post_as("U0ADA", "C0OTHER", "unheard")
    told = [one.payload["event"] for one in server.deliveries]
    assert [(event["type"], event.get("subtype")) for event in told] == [  # type: ignore[index, attr-defined]
        ("message", "channel_join"),
        ("member_joined_channel", None),
        ("message", None),
    ]
    joined = told[1]
    assert isinstance(joined, dict)
    assert (joined["user"], joined["inviter"], joined["channel"]) == ("U0BRIDGE", "U0ADA", "C0OTHER")
    with pytest.raises(ValueError, match="cannot remove"):
        await server.kick_bot("U0ADA", "C0OTHER")
    with pytest.raises(ValueError, match="not in C0OTHER"):
        await server.invite_bot("U0GRACE", "C0OTHER")
    with pytest.raises(ValueError, match="cannot be invited"):
        await server.invite_bot("U0ADA", "C0GENERAL")


async def test_only_what_the_app_subscribed_to_is_told(server: SlackServer) -> None:
    server.subscriptions = {"app_mention", "message.im"}
    await server.post_as("U0ADA", "C0GENERAL", f"{MENTION} hi")
    ts = await server.post_as("U0ADA", "D0ADA", "hi")
    await server.react("U0ADA", "D0ADA", ts, "eyes")
    await server.open_home("U0ADA")
    assert [(one.type, one.payload["event"]["channel"]) for one in server.deliveries] == [  # type: ignore[index]
        ("app_mention", "C0GENERAL"),
        ("message", "D0ADA"),
    ]


async def test_channels_can_be_added_of_every_kind(server: SlackServer) -> None:
    many = server.add_channel("many", "mpim", {"U0ADA", "U0GRACE", server.bot_user_id})
    private = server.add_channel("private-too", "group")
    server.add_workspace("T0OTHER", "Other")
    there = server.add_channel("there", team_id="T0OTHER")
    assert len({many.id, private.id, there.id, *server.channels}) == len(server.channels) + 1
    await server.post_as("U0ADA", many.id, "hi")
    await server.post_as("U0GRACE", private.id, "hi")
    await server.post_as("U1GRACE", there.id, "hi")
    assert [one.payload["event"]["channel_type"] for one in server.deliveries] == ["mpim", "group", "channel"]  # type: ignore[index]
    with pytest.raises(ValueError, match="no workspace"):
        server.add_channel("x", team_id="T0NONE")


async def test_another_apps_message_names_the_app(server: SlackServer) -> None:
    await server.post_as("U0OTHERBOT", "C0GENERAL", "beep", bot_id="B0OTHER", app_id="A0OTHER")
    event = server.deliveries[0].payload["event"]
    assert isinstance(event, dict)
    assert (event["bot_id"], event["app_id"], "client_msg_id" in event) == ("B0OTHER", "A0OTHER", False)


# Agents


async def test_stopping_a_session_ends_its_streams_and_leaves_its_status(
    server: SlackServer, client: AsyncWebClient
) -> None:
    root = await server.post_as("U0ADA", "D0ADA", "q")
    with pytest.raises(ValueError, match="nothing is being processed"):
        await server.stop_session("U0ADA", "D0ADA", root)
    where = {"channel_id": "D0ADA", "thread_ts": root}
    await client.api_call("agents.sessions.setStatus", json={**where, "status": "processing"})
    started = await client.chat_startStream(
        channel="D0ADA", thread_ts=root, recipient_user_id="U0ADA", recipient_team_id=server.team_id, markdown_text="a"
    )
    ts = started["ts"]
    assert await server.stop_session("U0ADA", "D0ADA", root) == [ts]
    append = client.chat_appendStream(channel="D0ADA", ts=ts, markdown_text="b")
    assert await error_of(append) == "stopped_by_user"
    told = [one.payload["event"] for one in server.deliveries if one.type == "agent_session_stopped"]
    assert [{**event, "event_ts": ""} for event in told] == [  # type: ignore[dict-item]
        {
            "type": "agent_session_stopped",
            "user": "U0ADA",
            "channel": "D0ADA",
            "thread_ts": root,
            "streaming_message_ts": [ts],
            "event_ts": "",
        }
    ]
    # The app has to end it; until then the button stands, for work that is no stream.
    assert await server.stop_session("U0ADA", "D0ADA", root) == []
    server.subscriptions = server.subscriptions - {"agent_session_stopped"}
    with pytest.raises(ValueError, match="not subscribed"):
        await server.stop_session("U0ADA", "D0ADA", root)


async def test_what_a_person_turns_to_is_told_and_goes_with_what_is_written_to_the_agent(server: SlackServer) -> None:
    entity: JsonObject = {"type": "slack#/types/channel_id", "value": "C0GENERAL"}
    await server.change_context("U0ADA", [entity])
    await server.post_as("U0ADA", "D0ADA", "what is this?")
    await server.post_as("U0ADA", "C0GENERAL", "not there")
    changed, direct, public = (one.payload["event"] for one in server.deliveries)
    assert isinstance(changed, dict)
    assert isinstance(direct, dict)
    assert (changed["type"], changed["context"]) == ("app_context_changed", {"entities": [entity]})
    assert direct["app_context"] == {"entities": [entity]}
    assert "app_context" not in public  # type: ignore[operator]
    server.scopes = [scope for scope in server.scopes if scope != "assistant:write"]
    await server.change_context("U0ADA", [])
    assert len(server.deliveries) == 3
