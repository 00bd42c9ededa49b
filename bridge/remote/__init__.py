"""What it takes to speak with a backend's server over HTTP, whatever it is: connections, limits, streams of events, plain words.

Nothing in here knows what a backend's calls and events mean; what names settings gets their names from the backend.
"""
