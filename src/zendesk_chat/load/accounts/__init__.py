"""``sync --accounts``: several accounts in one command, each with its own rate limit and its own tables."""
