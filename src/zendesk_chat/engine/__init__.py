"""Reads streams side by side and tells one face about it, in order."""
