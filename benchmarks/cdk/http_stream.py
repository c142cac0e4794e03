"""Zendesk Chat's chats as a Python source on Airbyte's CDK: one HttpStream, incremental by update_timestamp."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import datetime, timedelta
from typing import Any

import orjson
import requests
from airbyte_cdk.entrypoint import launch
from airbyte_cdk.models import ConnectorSpecification, SyncMode
from airbyte_cdk.sources import AbstractSource
from airbyte_cdk.sources.streams import Stream
from airbyte_cdk.sources.streams.call_rate import HttpAPIBudget, HttpRequestRegexMatcher, MovingWindowCallRatePolicy, Rate
from airbyte_cdk.sources.streams.http import HttpStream
from airbyte_cdk.sources.streams.http.requests_native_auth import TokenAuthenticator

PAGE_SIZE = 1000


class Chats(HttpStream):
    """`GET incremental/chats`, paged by `end_time` and `end_id`."""

    name = "chats"
    primary_key = "id"
    cursor_field = "update_timestamp"
    state_checkpoint_interval = PAGE_SIZE

    def __init__(self, config: Mapping[str, Any]) -> None:
        limit = MovingWindowCallRatePolicy([Rate(200, timedelta(minutes=1))], [HttpRequestRegexMatcher()])
        self._api_url = config["api_url"]
        self._state: MutableMapping[str, Any] = {self.cursor_field: config["start_date"]}
        token = TokenAuthenticator(config["credentials"]["access_token"])
        super().__init__(authenticator=token, api_budget=HttpAPIBudget(policies=[limit]))

    @property
    def url_base(self) -> str:
        return f"{self._api_url}/"

    @property
    def state(self) -> MutableMapping[str, Any]:
        return self._state

    @state.setter
    def state(self, value: MutableMapping[str, Any]) -> None:
        self._state = value or self._state

    def path(self, **_: Any) -> str:
        return "incremental/chats"

    def request_params(
        self,
        stream_state: Mapping[str, Any] | None,
        stream_slice: Mapping[str, Any] | None = None,
        next_page_token: Mapping[str, Any] | None = None,
    ) -> MutableMapping[str, Any]:
        since = datetime.fromisoformat(self._state[self.cursor_field])
        position = next_page_token or {"start_time": int(since.timestamp())}
        return {"fields": "chats(*)", "limit": PAGE_SIZE, **position}

    def next_page_token(self, response: requests.Response) -> Mapping[str, Any] | None:
        return self._next

    def parse_response(self, response: requests.Response, **_: Any) -> Iterable[Mapping[str, Any]]:
        page = orjson.loads(response.content)
        full = page["count"] >= PAGE_SIZE
        self._next = {"start_time": page["end_time"], "start_id": page["end_id"]} if full else None
        return page["chats"]

    def read_records(self, sync_mode: SyncMode, *arguments: Any, **options: Any) -> Iterable[Mapping[str, Any]]:
        for record in super().read_records(sync_mode, *arguments, **options):
            self._state = {self.cursor_field: max(self._state[self.cursor_field], record[self.cursor_field])}
            yield record

    def get_json_schema(self) -> Mapping[str, Any]:
        properties = {"id": {"type": "string"}, "update_timestamp": {"type": "string", "format": "date-time"}}
        return {"type": "object", "additionalProperties": True, "properties": properties}


class SourceZendeskChat(AbstractSource):
    """A source with this one stream."""

    def spec(self, logger: logging.Logger) -> ConnectorSpecification:
        token = {"type": "object", "properties": {"access_token": {"type": "string", "airbyte_secret": True}}}
        properties = {"api_url": {"type": "string"}, "start_date": {"type": "string"}, "credentials": token}
        schema = {"type": "object", "required": list(properties), "additionalProperties": True, "properties": properties}
        return ConnectorSpecification(connectionSpecification=schema)

    def check_connection(self, logger: logging.Logger, config: Mapping[str, Any]) -> tuple[bool, Any]:
        next(iter(Chats(config).read_records(SyncMode.full_refresh)), None)
        return True, None

    def streams(self, config: Mapping[str, Any]) -> list[Stream]:
        return [Chats(config)]


if __name__ == "__main__":
    launch(SourceZendeskChat(), sys.argv[1:])
