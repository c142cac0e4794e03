"""Reads streams concurrently and reports what happens to one entry point, in order."""
