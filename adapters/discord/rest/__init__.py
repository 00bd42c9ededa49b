"""What is said and asked over REST, apart from messages themselves."""
