"""Views of what support teams measure, over the tables in a DuckDB file."""
