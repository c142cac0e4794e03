"""The Airbyte protocol - all of its words are here."""
