"""Derived streams: records extracted from chats."""
