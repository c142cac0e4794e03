"""The data source for Spark: ``spark.read.format("zendesk_chat")``. It needs the ``spark`` extra."""

from zendesk_chat.spark.source import ZendeskChatDataSource, register

__all__ = ["ZendeskChatDataSource", "register"]
