"""Streams as tables: JSON records to typed columns, in Arrow."""
