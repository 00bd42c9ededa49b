"""Tests of the Dify backend: recorded streams, error shapes, limits."""
