"""Tests of the stand-in Dify: as strict as the real one, and broken on request."""
