"""Web API methods that only look: who the token is, messages, channels, people."""

from bridge.playground.slack import limits
from bridge.playground.slack.arguments import Arguments
from bridge.playground.slack.events import APP_ID, BOT_NAME, wire_message
from bridge.playground.slack.model import Channel, ChannelKind, JsonObject, Message, Person, Refusal
from bridge.playground.slack.workspace import Workspace

_SCOPE_FAMILY: dict[ChannelKind, str] = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}


class ReadingMethods:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def auth_test(self, args: Arguments) -> JsonObject:
        team = self._workspace.team
        # For a token of a whole organisation the organisation stands where a workspace would (not documented).
        known: JsonObject = {
            "url": f"https://{team.domain}.slack.example/",
            "team": team.enterprise_name if team.org_wide else team.name,
            "user": BOT_NAME,
            "team_id": team.enterprise_id if team.org_wide else team.id,
            "user_id": team.bot_user_id,
            "bot_id": team.bot_id,
            "is_enterprise_install": team.org_wide,
        }
        return known if team.enterprise_id is None else known | {"enterprise_id": team.enterprise_id}

    def replies(self, args: Arguments) -> JsonObject:
        channel = self._readable(args.required("channel", "channel_not_found"), "history")
        ts = args.required("ts", "thread_not_found")
        found = self._workspace.messages(channel.id, ts) or [
            message for message in self._workspace.messages(channel.id) if message.ts == ts
        ]
        if not found:
            raise Refusal("thread_not_found")
        # Reported: the message that begins the thread comes first whatever the bounds are.
        return self._page(found, args, default=limits.REPLIES_PAGE, most=limits.REPLIES_PAGE, always=ts)

    def history(self, args: Arguments) -> JsonObject:
        channel = self._readable(args.required("channel", "channel_not_found"), "history")
        top = [
            message
            for message in reversed(self._workspace.messages(channel.id))
            if message.thread_ts is None or message.subtype == "thread_broadcast"
        ]
        return self._page(top, args, default=limits.HISTORY_DEFAULT_PAGE, most=limits.HISTORY_PAGE)

    def reactions(self, args: Arguments) -> JsonObject:
        channel = self._known(args.required("channel", "no_item_specified"))
        message = self._workspace.find(channel.id, args.required("timestamp", "no_item_specified"))
        return {"type": "message", "channel": channel.id, "message": self._shown(message)}

    def channel_info(self, args: Arguments) -> JsonObject:
        channel = self._readable(args.required("channel", "channel_not_found"), "read", member=False)
        info: JsonObject = {
            "id": channel.id,
            "created": 0,
            "is_channel": channel.kind == "channel",
            "is_group": channel.kind == "group",
            "is_im": channel.kind == "im",
            "is_mpim": channel.kind == "mpim",
            "is_private": channel.kind != "channel",
            "is_archived": False,
            "is_ext_shared": channel.is_ext_shared,
            "context_team_id": self._workspace.team_id,
        }
        if channel.kind == "im":
            info["user"] = next((user for user in sorted(channel.members) if user != self._workspace.bot_user_id), "")
        else:
            info |= {"name": channel.name, "is_member": self._workspace.bot_user_id in channel.members}
        return {"channel": info}

    def user_info(self, args: Arguments) -> JsonObject:
        user_id = args.required("user", "user_not_found")
        is_bot = user_id == self._workspace.bot_user_id
        person = Person(id=user_id, name=BOT_NAME) if is_bot else self._workspace.people.get(user_id)
        if person is None:
            raise Refusal("user_not_found")
        # Docs of users.info: told only to who asks for it.
        locale: JsonObject = {"locale": person.locale} if args.flag("include_locale") and not is_bot else {}
        return {
            "user": {
                **locale,
                "id": person.id,
                "team_id": person.team_id or self._workspace.team_id,
                "name": person.name.lower(),
                "real_name": person.name,
                "deleted": False,
                "is_bot": is_bot,
                "is_stranger": bool(person.team_id),
                "profile": {
                    "real_name": person.name,
                    "display_name": person.name,
                    "team": person.team_id or self._workspace.team_id,
                },
            }
        }

    def bot_info(self, args: Arguments) -> JsonObject:
        if (args.text("bot") or self._workspace.bot_id) != self._workspace.bot_id:
            raise Refusal("bot_not_found")
        return {
            "bot": {
                "id": self._workspace.bot_id,
                "deleted": False,
                "name": BOT_NAME,
                "app_id": APP_ID,
                "user_id": self._workspace.bot_user_id,
            }
        }

    def team_info(self, args: Arguments) -> JsonObject:
        team = self._workspace.team
        if (args.text("team") or team.id) != team.id:
            raise Refusal("team_not_found")
        info: JsonObject = {"id": team.id, "name": team.name, "domain": team.domain, "email_domain": "", "icon": {}}
        if team.enterprise_id is not None:
            info |= {"enterprise_id": team.enterprise_id, "enterprise_name": team.enterprise_name}
        return {"team": info}

    def permalink(self, args: Arguments) -> JsonObject:
        channel = self._known(args.required("channel", "channel_not_found"))
        message = self._workspace.find(channel.id, args.required("message_ts", "message_not_found"))
        link = (
            f"https://{self._workspace.team.domain}.slack.example/archives/{channel.id}/p{message.ts.replace('.', '')}"
        )
        if message.thread_ts is not None:
            link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
        return {"channel": channel.id, "permalink": link}

    def _known(self, channel_id: str) -> Channel:
        channel = self._workspace.channels.get(channel_id)
        if channel is None or (channel.kind != "channel" and self._workspace.bot_user_id not in channel.members):
            raise Refusal("channel_not_found")
        return channel

    def _readable(self, channel_id: str, right: str, *, member: bool = True) -> Channel:
        """Which scope is needed depends on what kind of channel it is."""
        channel = self._known(channel_id)
        needed = f"{_SCOPE_FAMILY[channel.kind]}:{right}"
        scopes = self._workspace.scopes
        if needed not in scopes:
            raise Refusal("missing_scope", needed=needed, provided=",".join(scopes))
        if member and self._workspace.bot_user_id not in channel.members:
            raise Refusal("not_in_channel")
        return channel

    def _page(self, found: list[Message], args: Arguments, *, default: int, most: int, always: str = "") -> JsonObject:
        limit = args.count("limit", default=default, most=most)
        oldest, latest, inclusive = args.text("oldest"), args.text("latest"), args.flag("inclusive")
        chosen = [
            message
            for message in found
            if message.ts == always
            or (
                (oldest is None or message.ts > oldest or (inclusive and message.ts == oldest))
                and (latest is None or message.ts < latest or (inclusive and message.ts == latest))
            )
        ]
        cursor = args.text("cursor") or "0"
        if not cursor.isdecimal():
            raise Refusal("invalid_cursor")
        start = int(cursor)
        more = len(chosen) > start + limit
        with_metadata = args.flag("include_all_metadata")
        page: JsonObject = {
            "messages": [
                self._shown(message, with_metadata=with_metadata) for message in chosen[start : start + limit]
            ],
            "has_more": more,
        }
        if more:
            page["response_metadata"] = {"next_cursor": str(start + limit)}
        return page

    def _shown(self, message: Message, *, with_metadata: bool = False) -> JsonObject:
        shown = wire_message(message)
        thread = self._workspace.messages(message.channel, message.root)
        if message.thread_ts is None and len(thread) > 1:
            shown |= {
                "thread_ts": message.ts,
                "reply_count": len(thread) - 1,
                "reply_users": list(dict.fromkeys(reply.user for reply in thread[1:])),
                "latest_reply": thread[-1].ts,
            }
        elif message.thread_ts is not None and thread:
            shown["parent_user_id"] = thread[0].user
        if message.reactions:
            shown["reactions"] = [
                {"name": emoji, "users": list(users), "count": len(users)} for emoji, users in message.reactions.items()
            ]
        if with_metadata and message.metadata is not None:
            shown["metadata"] = message.metadata
        return shown
