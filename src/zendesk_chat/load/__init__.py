"""The loader: writes a run's events to the tables of a DuckDB file, or through dlt to another database.

Its modules import dlt, DuckDB, Arrow and rich, the ``load`` extra, which takes seconds; importing this package does not.
"""
