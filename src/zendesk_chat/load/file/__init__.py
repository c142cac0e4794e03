"""The DuckDB file of ``sync``: tables of records, and beside them the state to resume from, in the same transactions."""
