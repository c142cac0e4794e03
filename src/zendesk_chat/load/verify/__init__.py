"""The ``verify`` command: compares a DuckDB file with the account, through other endpoints than ``sync``."""
