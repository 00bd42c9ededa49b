"""How a message of ours comes to stand at Slack, grows there and ends."""
