"""Zendesk's REST API as one authenticated, rate-limited, retried GET."""
