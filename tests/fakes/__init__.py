"""In-memory twins of the seams; each shares its file name with the promise it keeps."""
