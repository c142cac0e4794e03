"""Configuration lists: complete ones, and those paged by id."""
