"""Routes: the most specific one wins, whatever their order, and an operator is told why."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.messages import AppName, Author, ChannelId, InstallationId, PersonId, PlatformName
from bridge.routing import (
    DEFAULT_APP,
    Access,
    AppPolicy,
    Everywhere,
    Follow,
    Place,
    Route,
    Routes,
    find_twins,
)

APPS = {name: AppPolicy(name=name) for name in (AppName("a"), AppName("b"), AppName("c"))}
PLATFORM = PlatformName("slack")
OTHER_PLATFORM = PlatformName("discord")
INSTALLATION = InstallationId("T1")
CHANNEL = ChannelId("C1")
CATEGORY = ChannelId("K1")
PLACE = Place(platform=PLATFORM, installation=INSTALLATION, channel=CHANNEL, category=CATEGORY)
DIRECT = Place(platform=PLATFORM, installation=INSTALLATION, channel=ChannelId("D1"), is_direct=True)

platforms = st.sampled_from([PLATFORM, OTHER_PLATFORM])
installations = st.sampled_from([INSTALLATION, InstallationId("T2")])
channels = st.sampled_from([CHANNEL, ChannelId("C2"), ChannelId("D1")])
categories = st.sampled_from([CATEGORY, ChannelId("K2")])
routes_of_any_kind = st.builds(
    Route,
    app=st.sampled_from(list(APPS)),
    platform=st.none() | platforms,
    installation=st.none() | installations,
    channel=st.none() | channels,
    category=st.none() | categories,
    is_direct=st.booleans(),
    follow=st.sampled_from(Follow),
    line=st.integers(1, 99),
)
route_lists = st.lists(routes_of_any_kind, max_size=8, unique_by=lambda route: route.asks_for)
places = st.builds(
    Place,
    platform=platforms,
    installation=installations | st.just(InstallationId("")),
    channel=channels,
    category=categories | st.just(ChannelId("")),
    is_direct=st.booleans(),
)


def table(*routes: Route) -> Routes:
    return Routes(apps=APPS, routes=routes)


def route(app: str = "a", **asked: object) -> Route:
    return Route(app=AppName(app), **asked)  # type: ignore[arg-type]  # each test names what it asks for


def answering(routes: Routes, place: Place) -> str | None:
    app = routes.resolve(place).app
    return None if app is None else app.name


def winner_by_hand(routes: Sequence[Route], place: Place) -> Route | None:
    """The rule as the README says it: level by level, whoever names it beats whoever does not."""
    left = [
        one
        for one in routes
        if (one.platform is None or one.platform == place.platform)
        and (one.installation is None or one.installation == place.installation)
        and (one.channel is None or one.channel == place.channel)
        and (one.category is None or one.category == place.category)
        and (not one.is_direct or place.is_direct)
    ]
    for names_it in (
        lambda one: one.channel is not None,
        lambda one: one.is_direct,
        lambda one: one.category is not None,
        lambda one: one.installation is not None,
        lambda one: one.platform is not None,
    ):
        left = [one for one in left if names_it(one)] or left
    assert len(left) <= 1, "routes that ask for the same"
    return left[0] if left else None


@pytest.mark.parametrize(
    ("more", "less"),
    [
        (route(channel=CHANNEL), route(category=CATEGORY, installation=INSTALLATION, platform=PLATFORM)),
        (route(category=CATEGORY), route(installation=INSTALLATION, platform=PLATFORM)),
        (route(installation=INSTALLATION), route(platform=PLATFORM)),
        (route(platform=PLATFORM), route()),
        (route(channel=CHANNEL, platform=PLATFORM), route(channel=CHANNEL)),
        (route(category=CATEGORY, installation=INSTALLATION), route(category=CATEGORY, platform=PLATFORM)),
    ],
)
def test_the_more_specific_route_wins_in_either_order(more: Route, less: Route) -> None:
    for order in ((more, less), (less, more)):
        resolution = table(*order).resolve(PLACE)
        assert resolution.because[0].startswith(f"The route at {more} decides")


@pytest.mark.parametrize("less", [{"installation": INSTALLATION, "platform": PLATFORM}, {"platform": PLATFORM}, {}])
def test_a_route_for_direct_messages_beats_everything_but_a_channel(less: dict[str, object]) -> None:
    assert answering(table(route("a", is_direct=True), route("b", **less)), DIRECT) == "a"
    named = route("c", channel=DIRECT.channel)
    assert answering(table(route("a", is_direct=True, platform=PLATFORM), named), DIRECT) == "c"


def test_a_route_for_direct_messages_is_about_nothing_else() -> None:
    assert answering(table(route("a", is_direct=True), route("b")), PLACE) == "b"


def test_a_route_that_does_not_name_them_is_about_direct_messages_too() -> None:
    assert answering(table(route("a", platform=PLATFORM)), DIRECT) == "a"


@given(route_lists, places)
def test_the_winner_is_the_one_that_the_rule_names(routes: list[Route], place: Place) -> None:
    expected = winner_by_hand(routes, place)
    resolution = table(*routes).resolve(place)
    if expected is None:
        assert resolution.app is None
    else:
        assert (resolution.app, resolution.follow) == (APPS[expected.app], expected.follow)


@given(route_lists, places, st.randoms(use_true_random=False))
def test_the_order_of_routes_never_matters(routes: list[Route], place: Place, random: Random) -> None:
    shuffled = list(routes)
    random.shuffle(shuffled)
    assert table(*routes).resolve(place) == table(*shuffled).resolve(place)


@given(route_lists, places)
def test_routes_that_do_not_fit_change_nothing_but_are_counted_when_none_does(
    routes: list[Route], place: Place
) -> None:
    fitting = [one for one in routes if one.fits(place)]
    everything, some = table(*routes).resolve(place), table(*fitting).resolve(place)
    assert (everything.app, everything.follow, everything.access) == (some.app, some.follow, some.access)
    if not fitting:
        assert everything.because == (f"None of the {len(routes)} routes is about this place.",)
    else:
        assert len(everything.because) == len(fitting)


@given(routes_of_any_kind, routes_of_any_kind, places)
def test_two_routes_that_are_equally_specific_in_one_place_are_twins(one: Route, other: Route, place: Place) -> None:
    if one.fits(place) and other.fits(place) and one.specificity == other.specificity:
        assert find_twins([one, other]) == [(one, other)]
    if find_twins([one, other]):
        assert (one.fits(place), one.specificity) == (other.fits(place), other.specificity)


def test_of_three_that_ask_for_the_same_each_is_told_with_the_first() -> None:
    first, second, third = (route("a", channel=CHANNEL, line=line) for line in (3, 6, 9))
    assert find_twins([first, route("b"), second, third]) == [(first, second), (first, third)]


@given(route_lists, places)
def test_an_undecided_route_wins_or_loses_to_a_more_specific_one_once_the_place_is_known(
    routes: list[Route], place: Place
) -> None:
    together = table(*routes)
    for one in together.undecided(place):
        known = Place(
            platform=place.platform,
            installation=place.installation or one.installation or InstallationId(""),
            channel=place.channel,
            category=place.category or one.category or ChannelId(""),
            is_direct=place.is_direct,
        )
        assert known != place
        winner = winner_by_hand(routes, known)
        assert winner is not None
        assert winner.specificity >= one.specificity


@given(route_lists, places.filter(lambda place: bool(place.installation) and bool(place.category)))
def test_nothing_is_undecided_about_a_place_that_is_wholly_known(routes: list[Route], place: Place) -> None:
    assert table(*routes).undecided(place) == []


def test_a_route_that_would_lose_anyway_is_not_undecided() -> None:
    channel, server = route("a", channel=CHANNEL), route("b", installation=INSTALLATION)
    somewhere = Place(platform=PLATFORM, channel=CHANNEL)
    assert table(channel, server).undecided(somewhere) == []
    assert table(server).undecided(somewhere) == [server]


def test_direct_messages_are_in_no_category_that_could_decide() -> None:
    category = route("a", category=ChannelId("K"))
    assert table(category).undecided(Place(platform=PLATFORM, channel=CHANNEL)) == [category]
    assert table(category).undecided(Place(platform=PLATFORM, channel=CHANNEL, is_direct=True)) == []


def test_the_reasons_name_the_winner_with_its_line_and_then_the_others() -> None:
    routes = table(
        route("a", line=3),
        route("b", platform=PLATFORM, channel=CHANNEL, line=7),
        route("c", platform=PLATFORM, line=11),
        route("c", platform=OTHER_PLATFORM, line=15),
    )
    assert routes.resolve(PLACE).because == (
        "The route at line 7 (slack, channel C1) decides: the most specific of those that fit.",
        "The route at line 11 (slack) fits too, and is less specific.",
        "The route at line 3 (everywhere) fits too, and is less specific.",
    )


def test_without_routes_the_one_app_answers_everywhere() -> None:
    app = AppPolicy(name=DEFAULT_APP)
    for place in (PLACE, DIRECT):
        resolution = Everywhere(app=app).resolve(place)
        assert (resolution.app, resolution.follow, resolution.access) == (app, Follow.THREAD, Access())


@pytest.mark.parametrize(
    ("users", "roles", "admitted"),
    [
        ((), (), True),
        (("U1",), (), True),
        ((), ("R1",), True),
        (("U2",), ("R1",), True),
        (("U1",), ("R2",), True),
        (("U2",), ("R2",), False),
        (("U2",), (), False),
        ((), ("R2",), False),
    ],
)
def test_being_on_either_list_is_enough(users: tuple[str, ...], roles: tuple[str, ...], admitted: bool) -> None:
    access = Access(users=frozenset(PersonId(one) for one in users), roles=frozenset(roles))
    author = Author(platform=PLATFORM, id=PersonId("U1"), display_name="Ada", roles=("R1", "R3"))
    assert access.admits(author) is admitted
