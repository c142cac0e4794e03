"""What an error of the network means: which host, what happened, and whether it may pass."""

from __future__ import annotations

import errno
import os
import socket

import pytest
from urllib3 import exceptions
from urllib3.connection import HTTPConnection

from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.connection import DeadlineError, EndlessError
from zendesk_chat.api.failures import Host

HOST = Host("acme.zendesk.com", "Check the subdomain.")
CONNECTION = HTTPConnection("acme.zendesk.com")


def not_connected(cause: OSError) -> exceptions.NewConnectionError:
    error = exceptions.NewConnectionError(CONNECTION, "a message that may have a URL")
    error.__cause__ = cause
    return error


def caused_by(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def meaning(error: BaseException) -> str:
    return str(HOST.failure(error))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (exceptions.ConnectTimeoutError(CONNECTION, "m"), "connecting to acme.zendesk.com timed out"),
        (not_connected(socket.gaierror(socket.EAI_AGAIN, "m")), "cannot resolve acme.zendesk.com"),
        (not_connected(socket.gaierror(socket.EAI_NONAME, "m")), "cannot find acme.zendesk.com"),
        (
            not_connected(OSError(errno.EHOSTUNREACH, "m")),
            f"cannot connect to acme.zendesk.com: {os.strerror(errno.EHOSTUNREACH)}",
        ),
        (not_connected(ConnectionRefusedError(errno.ECONNREFUSED, "m")), "the connection to acme.zendesk.com was refused"),
        (TimeoutError("m"), "acme.zendesk.com sent no data for too long"),
        (DeadlineError("m"), "the response from acme.zendesk.com took too long"),
        (caused_by(TimeoutError("m"), DeadlineError("m")), "the response from acme.zendesk.com took too long"),
        (EndlessError("m"), "the response from acme.zendesk.com does not end"),
        (exceptions.ProtocolError("m", ConnectionResetError("m")), "the connection to acme.zendesk.com was interrupted"),
        (exceptions.ProtocolError("m", DeadlineError("m")), "the response from acme.zendesk.com took too long"),
    ],
)
def test_an_error_is_explained_without_its_own_message(error: Exception, words: str) -> None:
    assert meaning(error).startswith(words)
    assert "a message" not in meaning(error)


def test_a_failure_that_is_already_explained_stays() -> None:
    explained = NoAnswerError("the response was incomplete")
    assert HOST.failure(exceptions.ProtocolError("m", explained)) is explained


def test_a_name_that_does_not_exist_comes_with_advice_and_does_not_pass() -> None:
    failure = HOST.failure(not_connected(socket.gaierror(socket.EAI_NONAME, "m")))
    assert "Check the subdomain." in repr(vars(failure)) + str(failure)
    passing = HOST.failure(not_connected(socket.gaierror(socket.EAI_AGAIN, "m")))
    assert "Check the subdomain." not in repr(vars(passing)) + str(passing)
