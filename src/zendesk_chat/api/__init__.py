"""The vendor's REST API - one authenticated, limited, retried GET."""
