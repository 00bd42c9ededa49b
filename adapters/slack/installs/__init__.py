"""The app as Slack knows it, and where it is installed: its manifest, its scopes, and the tokens of one or many workspaces."""
