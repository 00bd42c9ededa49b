"""The seam by which a platform tells who somebody is, where its events tell only an id. Optional, as all that platforms may offer
besides (see `bridge.platform_api`)."""

from typing import Protocol, runtime_checkable

from bridge.messages import Author, ReplyTarget


@runtime_checkable
class DescribesPeople(Protocol):
    """The platform can be asked for a person's name and language."""

    async def describe(self, target: ReplyTarget, author: Author) -> Author:
        """The same person, with `display_name` and `locale` as far as the platform tells within a second or two; what it does not
        tell stays as it is. Never raises a `PlatformError`."""
        ...
