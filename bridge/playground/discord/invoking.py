"""People use the bot's commands: what their client offers them where they are, and what it sends.

Docs: interactions/application-commands. Everything raises ValueError where the client would not offer or send it.
"""

from collections.abc import Mapping

from bridge.playground.discord import commands, limits, payloads
from bridge.playground.discord.interactions import begin, find_message, find_owners, tell
from bridge.playground.discord.model import Attachment, Channel, Command, Interaction, Json, Option
from bridge.playground.discord.permissions import ADMINISTRATOR, USE_APPLICATION_COMMANDS
from bridge.playground.discord.world import World

Value = str | int | float | bool


def use(
    world: World,
    place: Channel,
    user_id: str,
    name: str,
    options: Mapping[str, Value],
    files: Mapping[str, Attachment],
) -> Interaction:
    """A slash command. `options`: by name, people, channels and roles by id; `files`: for the options that take one."""
    command, owners = _offer(world, place, user_id, name, commands.CHAT)
    known = {one.name for one in command.options}
    if unknown := sorted({*options, *files} - known):
        raise ValueError(f"/{name} has no options {unknown}; it has {sorted(known)}")
    given: list[Json] = []
    resolved: dict[str, Json] = {}
    for one in command.options:
        if one.name in files:
            value: Value = _upload(world, place, one, files[one.name], resolved)
        elif one.name in options:
            value = _check(one, options[one.name])
            _resolve(world, place, one, value, resolved)
        elif one.required:
            raise ValueError(f"/{name} needs `{one.name}`")
        else:
            continue
        given.append({"name": one.name, "type": one.kind, "value": value})
    data: Json = {"id": command.id, "name": command.name, "type": command.kind}
    data |= {"options": given} if given else {}
    data |= {"resolved": resolved} if resolved else {}
    interaction = begin(world, place, user_id, "command", owners=owners, name=name)
    tell(world, interaction, data)
    return interaction


def use_on_message(world: World, place: Channel, user_id: str, name: str, message_id: str) -> Interaction:
    """A command of the message's menu. The bot gets the message whole, whatever its intents."""
    command, owners = _offer(world, place, user_id, name, commands.MESSAGE_MENU)
    target = find_message(world, place.id, message_id)
    if target is None:
        raise KeyError(message_id)
    if target.seen_by not in ("", user_id):
        raise ValueError("that person does not see this message")
    shown = payloads.message(world, target, everything=True)
    data: Json = {
        "id": command.id,
        "name": command.name,
        "type": command.kind,
        "target_id": target.id,
        "resolved": {"messages": {target.id: shown}},
    }
    one = begin(world, place, user_id, "message_command", owners=owners, message_id=target.id, name=name)
    tell(world, one, data)
    return one


def offered(world: World, place: Channel, user_id: str) -> list[Command]:
    """The commands that the client shows to this person there."""
    return [one for one in world.commands if not _hidden(world, place, user_id, one)]


def _offer(world: World, place: Channel, user_id: str, name: str, kind: int) -> tuple[Command, Json]:
    command = next((one for one in world.commands if (one.name, one.kind) == (name, kind)), None)
    if command is None:
        raise ValueError(f"the bot has no command {name!r}")
    if why := _hidden(world, place, user_id, command):
        raise ValueError(why)
    return command, _owners(world, place, user_id, command)


def _owners(world: World, place: Channel, user_id: str, command: Command) -> Json:
    found = find_owners(world, place, user_id)
    return {key: value for key, value in found.items() if int(key) in command.integration_types}


def _hidden(world: World, place: Channel, user_id: str, command: Command) -> str:
    """Why the client does not offer it; empty when it does."""
    if not world.person_sees(user_id, place):
        return "that person does not see this place"
    if place.kind in ("forum", "category"):
        return "commands are used where messages are written"
    context = 0 if place.in_guild else 1 if place.kind == "dm" else 2
    if command.contexts is not None and context not in command.contexts:
        return f"/{command.name} is not offered in places of this kind"
    owners = _owners(world, place, user_id, command)
    if not owners:
        return f"the app is not installed where /{command.name} could be used from here"
    bits = world.allowed_for(user_id, place)
    if not bits & USE_APPLICATION_COMMANDS:
        return "that person may not use commands here"
    needed = command.member_permissions
    lacks = needed is not None and (needed == 0 or bits & needed != needed) and not bits & ADMINISTRATOR
    if lacks and place.in_guild and "0" in owners:
        return f"that person lacks the permissions that /{command.name} needs"
    return ""


def _check(option: Option, value: Value) -> Value:
    name = option.name
    wanted: dict[int, type | tuple[type, ...]] = {
        commands.WHOLE: int,
        commands.YES_NO: bool,
        commands.NUMBER: (int, float),
    }
    if option.kind == commands.FILE:
        raise ValueError(f"`{name}` takes a file")
    if not isinstance(value, wanted.get(option.kind, str)) or (
        isinstance(value, bool) and option.kind != commands.YES_NO
    ):
        raise ValueError(f"`{name}` does not take {value!r}")  # it is the value that the client refuses
    if option.choices and value not in option.choices:
        raise ValueError(f"`{name}` takes one of {option.choices}")
    size: float | None = None
    if isinstance(value, str) and option.kind == commands.TEXT:
        size = len(value)
        if not 1 <= size <= limits.MAX_OPTION_TEXT:
            raise ValueError(f"`{name}` takes 1 to {limits.MAX_OPTION_TEXT} characters, this has {size}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        size = value
    if size is not None and not (
        (option.least is None or size >= option.least) and (option.most is None or size <= option.most)
    ):
        raise ValueError(f"`{name}` is out of its bounds")
    return value


def _upload(world: World, place: Channel, option: Option, file: Attachment, resolved: dict[str, Json]) -> str:
    if option.kind != commands.FILE:
        raise ValueError(f"`{option.name}` takes no file")
    if file.size > world.file_limit(place):
        raise ValueError(f"{file.filename} is too large for this place")
    number = world.new_id()
    world.loose_files[place.id, number] = file
    body = payloads.attachment(world, place.id, number, file) | {"ephemeral": True}
    resolved.setdefault("attachments", {})[number] = body
    return number


def _resolve(world: World, place: Channel, option: Option, value: Value, resolved: dict[str, Json]) -> None:
    """What the client knows of the ids among the values. Raises KeyError for an unknown one."""
    number = str(value)
    if option.kind in (commands.PERSON, commands.ANYBODY) and number in world.known_people():
        resolved.setdefault("users", {})[number] = payloads.user(world, number)
        if place.in_guild:
            member = payloads.member(world, number, place.guild_id)
            resolved.setdefault("members", {})[number] = member | {"permissions": str(world.allowed_for(number, place))}
    elif option.kind in (commands.ROLE, commands.ANYBODY):
        role = payloads.role(world, number, world.guilds[place.guild_id].roles[number])
        resolved.setdefault("roles", {})[number] = role
    elif option.kind == commands.PERSON:
        raise KeyError(number)
    elif option.kind == commands.PLACE:
        shown = payloads.channel(world, world.channels[number])
        resolved.setdefault("channels", {})[number] = shown | {"permissions": str(world.allowed(place))}
