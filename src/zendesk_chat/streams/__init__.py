"""What can be read from the API, as values."""
