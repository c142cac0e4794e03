"""Extract everything from the Zendesk Chat API."""

__version__ = "0.1.0"
