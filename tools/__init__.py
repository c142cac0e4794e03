"""Tools for whoever changes this code: figures about it, and a check of its words."""
