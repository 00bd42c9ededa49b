"""Hearing Discord: the connections, what came over them, and how it is handed in without a gap."""
