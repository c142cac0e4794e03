"""Tools for whoever changes this code: figures about it, a check of its words, and the data dictionary."""
