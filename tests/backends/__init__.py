"""Tests of the backends, one folder per backend."""
