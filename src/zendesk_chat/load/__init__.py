"""The loader: a run's events into the tables of a database, through Arrow and dlt.

``destination.open_target`` opens what ``--to`` names, ``loading.load_events`` fills it, ``progress.show_progress`` and
``report.print_report`` tell about it. Importing these imports dlt, DuckDB, Arrow and rich, the ``load`` extra, which
takes seconds; importing this package or its ``tables`` does not.
"""
