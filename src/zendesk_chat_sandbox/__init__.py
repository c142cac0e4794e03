"""A local stand-in of the Zendesk Chat REST API."""
