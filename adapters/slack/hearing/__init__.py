"""How Slack is heard: the doorstep that every delivery passes, and the two ways to it, sockets and an HTTP route."""
