"""The ``verify`` command: compares a DuckDB file with what the account itself answers, on another path than ``sync`` reads."""
