"""The JSON schema of each stream's records, one file per stream."""
