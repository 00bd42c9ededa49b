"""Slack: hears by Socket Mode or HTTP, answers in threads. `adapter` has what the bridge loads."""
