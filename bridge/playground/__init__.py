"""Stand-ins for Slack, Discord and Dify, and the page that shows them."""
