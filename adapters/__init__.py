"""One folder per chat platform, the same file names in each. Platforms never see each other."""
