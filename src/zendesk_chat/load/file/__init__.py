"""The DuckDB file of ``sync``: tables of records and the state to resume from, changed in the same transactions."""
