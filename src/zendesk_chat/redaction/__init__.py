"""Redaction: rules, how they are applied to records and schemas, and patterns of personal data."""
