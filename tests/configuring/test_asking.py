"""`check --route`: an operator asks about one place and is told what holds there, and why."""

from datetime import timedelta

import pytest

from bridge.configuring.asking import explain_place, read_place
from bridge.errors import SettingsError
from bridge.messages import AppName, ChannelId, InstallationId, PersonId, PlatformName
from bridge.quotas import Quota, Quotas
from bridge.routing import (
    Access,
    Answers,
    AppPolicy,
    Everywhere,
    External,
    Follow,
    Guests,
    Place,
    Resolver,
    Route,
    Routes,
)

PLATFORMS = ("discord", "slack")
SLACK = PlatformName("slack")
SUPPORT, SALES = AppName("support"), AppName("sales")
TWENTY = Quota(most=20, window=timedelta(minutes=10))
APPS = {name: AppPolicy(name=name) for name in (SUPPORT, SALES)}


def explain(text: str, routes: Resolver) -> list[str]:
    return [f"{word} {words}".strip() for word, words in explain_place(read_place(text, PLATFORMS), routes)]


@pytest.mark.parametrize(
    ("text", "platform", "installation", "channel", "category", "is_direct"),
    [
        ("slack:C0123", "slack", "", "C0123", "", False),
        (" slack:T0123/C0123 ", "slack", "T0123", "C0123", "", False),
        ("discord:1/2", "discord", "1", "2", "", False),
        ("discord:2@3", "discord", "", "2", "3", False),
        ("discord:1/2@3", "discord", "1", "2", "3", False),
        ("slack:direct", "slack", "", "", "", True),
        ("slack:T0123/direct", "slack", "T0123", "", "", True),
    ],
)
def test_every_form_of_a_place_is_understood(
    text: str, platform: str, installation: str, channel: str, category: str, is_direct: bool
) -> None:
    assert read_place(text, PLATFORMS) == Place(
        platform=PlatformName(platform),
        installation=InstallationId(installation),
        channel=ChannelId(channel),
        category=ChannelId(category),
        is_direct=is_direct,
    )


@pytest.mark.parametrize(
    "text",
    ["", "slack", "slack:", "slack:/C1", "slack:T1/", "slack:C1@", "C1", "slack:a b", "slack:T/C/X", "slack:#help"],
)
def test_what_is_no_place_is_refused_with_the_forms_that_are(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_place(text, PLATFORMS)
    for form in (
        "slack:C0123",
        "slack:T0123/C0123",
        "discord:SERVER/CHANNEL",
        "discord:CHANNEL@CATEGORY",
        "slack:direct",
    ):
        assert form in str(caught.value)


def test_an_unknown_platform_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SettingsError, match="no platform named 'teams'; there are discord, slack"):
        read_place("teams:1", PLATFORMS)


def test_the_app_what_it_hears_whom_it_serves_and_why_are_told() -> None:
    routes = Routes(
        apps=APPS,
        routes=(
            Route(app=SALES, line=2),
            Route(
                app=SUPPORT,
                platform=SLACK,
                channel=ChannelId("C1"),
                follow=Follow.MENTION,
                access=Access(users=frozenset({PersonId("U2"), PersonId("U1")}), roles=frozenset({"R1"})),
                guests=Guests(external=External.MENTION, bots=frozenset({PersonId("B2"), PersonId("B1")})),
                answers=Answers.REPLY,
                quotas=Quotas(per_person=TWENTY, per_channel=Quota(most=100, window=timedelta(hours=1))),
                line=5,
            ),
        ),
    )
    assert explain("slack:C1", routes) == [
        "app support",
        "follow mention (only messages that mention the bot or reply to it)",
        "access only person U1, person U2, role R1",
        "answers reply (answers stand in the channel as replies, where the platform can do that)",
        "limits 20 questions in 10 minutes from one person, 100 questions in 60 minutes in one channel",
        "external mention (where people of another organisation read along, only what mentions the bot or replies to it)",
        "bots only B1, B2",
        "because The route at line 5 (slack, channel C1) decides: the most specific of those that fit.",
        "The route at line 2 (everywhere) fits too, and is less specific.",
    ]


def test_what_members_may_choose_among_is_told() -> None:
    routes = Routes(apps=APPS, routes=(Route(app=SUPPORT, choices=(SUPPORT, SALES), line=2),))
    told = explain("slack:C1", routes)
    assert told[0] == "app support"
    assert "choice members may choose among support and sales with /app" in told


def test_where_no_route_fits_it_is_said_that_no_app_answers() -> None:
    routes = Routes(apps=APPS, routes=(Route(app=SALES, platform=PlatformName("discord"), line=2),))
    assert explain("slack:C1", routes) == [
        "app none; the bot says that no app is set up there",
        "because None of the 1 routes is about this place.",
    ]


def test_in_direct_messages_every_message_is_a_question_and_where_answers_stand_is_none() -> None:
    routes = Routes(apps=APPS, routes=(Route(app=SALES, is_direct=True, follow=Follow.MENTION, line=2),))
    told = explain("slack:direct", routes)
    assert "follow every message, as always in direct messages" in told
    assert not any(line.startswith("answers") for line in told)


def test_the_quotas_of_the_environment_are_told() -> None:
    routes = Everywhere(app=APPS[SALES], quotas=Quotas(per_person=TWENTY))
    assert "limits 20 questions in 10 minutes from one person" in explain("slack:C1", routes)


def test_without_routes_the_one_app_answers() -> None:
    assert explain("slack:C1", Everywhere(app=APPS[SALES])) == [
        "app sales",
        "follow thread (mentions, and what is written in threads in which the bot was asked)",
        "access everybody",
        "answers thread (answers stand in threads, which are opened for them)",
        "limits none",
        "external deny (nothing is answered where people of another organisation read along)",
        "bots none",
        "because There are no routes; the one app answers everywhere.",
    ]


def test_what_the_place_leaves_open_is_told_when_a_route_depends_on_it() -> None:
    routes = Routes(
        apps=APPS,
        routes=(
            Route(app=SALES, line=2),
            Route(app=SUPPORT, installation=InstallationId("T1"), category=ChannelId("K1"), line=5),
            Route(app=SUPPORT, installation=InstallationId("T2"), line=9),
        ),
    )
    both, server = explain("slack:C1", routes)[-2:]
    assert both.startswith("but If the place is in workspace or server T1 and in category K1, the route at line 5 (")
    assert server == (
        "but If the place is in workspace or server T2, the route at line 9 (workspace or server T2) decides: "
        "it leads to support."
    )
    assert explain("slack:T3/C1", routes)[-1].startswith("because The route at line 2")
