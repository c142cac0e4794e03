"""Incremental exports: their reader, its windows of time, and one small file for each export."""
