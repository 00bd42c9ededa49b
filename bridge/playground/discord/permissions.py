"""The permission and intent bits that the stand-in looks at (docs: topics/permissions, topics/gateway)."""

ADMINISTRATOR = 1 << 3
ADD_REACTIONS = 1 << 6
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
MANAGE_CHANNELS = 1 << 4
MANAGE_MESSAGES = 1 << 13
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
USE_APPLICATION_COMMANDS = 1 << 31
MANAGE_THREADS = 1 << 34
CREATE_PUBLIC_THREADS = 1 << 35
SEND_MESSAGES_IN_THREADS = 1 << 38
USE_EXTERNAL_APPS = 1 << 50

DEFAULT_PERMISSIONS = (
    VIEW_CHANNEL
    | SEND_MESSAGES
    | SEND_MESSAGES_IN_THREADS
    | CREATE_PUBLIC_THREADS
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | ADD_REACTIONS
)
"""What the bot has wherever `DiscordServer.permissions` says nothing."""

PERSON_PERMISSIONS = DEFAULT_PERMISSIONS | USE_APPLICATION_COMMANDS | USE_EXTERNAL_APPS
"""What every person has in a server, beside what their roles add."""

EVERYTHING = (1 << 53) - 1
"""What an administrator has."""

INTENT_GUILDS = 1 << 0
INTENT_GUILD_MEMBERS = 1 << 1
INTENT_GUILD_PRESENCES = 1 << 8
INTENT_GUILD_MESSAGES = 1 << 9
INTENT_GUILD_MESSAGE_REACTIONS = 1 << 10
INTENT_GUILD_MESSAGE_TYPING = 1 << 11
INTENT_DIRECT_MESSAGES = 1 << 12
INTENT_DIRECT_MESSAGE_REACTIONS = 1 << 13
INTENT_DIRECT_MESSAGE_TYPING = 1 << 14
INTENT_MESSAGE_CONTENT = 1 << 15

KNOWN_INTENTS = (
    (1 << 17) - 1
    | 1 << 20  # auto moderation configuration
    | 1 << 21  # auto moderation execution
    | 1 << 24  # guild polls
    | 1 << 25  # direct message polls
)
"""Any other bit closes the gateway with 4013."""
