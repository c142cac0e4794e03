"""Requests and responses as values, and the bodies of errors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

API: Final = "/api/v2/chat"

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read off the wire."""

    method: str
    path: str
    query: Mapping[str, str]
    query_string: str
    headers: Mapping[str, str]
    """Header names are in lower case."""
    body: bytes
    hosts: tuple[str, ...]
    """The host (and port) that the Host header names, and the one in the request's target if it is a complete URL."""

    @property
    def origin(self) -> str:
        """Scheme and host under which the client reached the sandbox."""
        return f"http://{self.hosts[-1]}"


@dataclass(frozen=True, slots=True)
class Response:
    """One response, before it goes over the wire."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """The request is refused; carries the response."""

    def __init__(self, status: int, description: str, error: str | None = None) -> None:
        super().__init__(description)
        title = error or HTTPStatus(status).phrase
        self.response = json_response({"error": title, "description": description}, status)


def encode(value: object) -> bytes:
    """Encode as compact JSON: UTF-8, or ASCII escapes where a lone surrogate leaves no other way."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def json_response(value: object, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with a JSON body."""
    return Response(status, encode(value), headers=headers or {})


def html_response(status: int, title: str, text: str) -> Response:
    """Return a response with a small HTML page, like one from an edge server or a proxy."""
    page = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>"
    return Response(status, page.encode(), content_type="text/html; charset=utf-8")


def not_found() -> ApiError:
    """Build the refusal of a path or id that does not exist."""
    return ApiError(HTTPStatus.NOT_FOUND, "The requested resource does not exist")


def bad_request(description: str) -> ApiError:
    """Build the refusal of a parameter."""
    return ApiError(HTTPStatus.BAD_REQUEST, description)
