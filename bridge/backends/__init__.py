"""Backends: one folder per kind of app server. None of them sees another."""
