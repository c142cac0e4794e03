"""Streams as tables: converts JSON records to typed columns, in Arrow."""
