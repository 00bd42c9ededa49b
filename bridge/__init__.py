"""The core of the bridge: everything that no chat platform knows about.

Nothing in here imports a platform or a chat SDK; platforms live in `adapters`, one folder each.
"""
