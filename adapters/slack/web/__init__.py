"""What every call of Slack's Web API shares, and what is read by it."""
