"""The ``report`` command: one HTML file about an account's chats."""
