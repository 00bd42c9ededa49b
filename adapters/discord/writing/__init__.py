"""What is written: messages, threads, and answers to interactions."""
