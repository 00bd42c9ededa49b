"""What Slack's payloads mean, one kind per module. Pure; `inbound` is the door."""
