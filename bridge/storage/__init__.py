"""Durable memory: the tables and the one store that keeps them. Nothing of the rest of the bridge knows SQL."""
