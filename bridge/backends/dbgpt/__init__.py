"""Speaks with the application server of DB-GPT (API v2)."""
