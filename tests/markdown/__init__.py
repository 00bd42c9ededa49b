"""Markdown as members see it: renderers of the documented dialects, the corpus, generators and invariants."""
