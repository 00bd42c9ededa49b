"""What Discord tells of places and messages, in words of the bridge. Pure."""
