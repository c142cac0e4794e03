"""The Airbyte protocol. All of Airbyte's terms are here."""
