"""Redaction: rules, how they apply to records and schemas, and patterns of personal data."""
