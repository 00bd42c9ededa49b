"""Dify: chat, agent and chatflow apps over the Service API. `backend` has what the bridge loads."""
