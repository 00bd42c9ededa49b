"""`bridge.toml`: apps and routes, read into values, with the line of every mistake. No backend is known here by name.

`document` reads the text, `lines` finds where things stand in it, `schema` says what may stand there, `reading` makes `Written`
of it, and `limits` reads what belongs to a backend's own settings.
"""
