"""Every destination of ``sync`` except a DuckDB file: dlt writes the tables and the state to resume from."""
