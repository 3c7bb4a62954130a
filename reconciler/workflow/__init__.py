"""The use cases, as straight lines: what a command does, from the project folder to its result."""
