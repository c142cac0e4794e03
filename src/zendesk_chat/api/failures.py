"""Why no response arrived, in words that name the host, and whether waiting may help."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from http.client import BadStatusLine, HTTPException, IncompleteRead, RemoteDisconnected, UnknownProtocol
from typing import Final

from urllib3 import exceptions

from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.connection import DeadlineError, EndlessError
from zendesk_chat.printable import printable

LONGEST_REASON: Final = 200
TUNNEL_REFUSED: Final = re.compile(r"Tunnel connection failed: (\d{3})")  # http.client reports the status only here
NOT_VALID_NOW: Final = frozenset({9, 10})  # X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED of OpenSSL
OTHER_HOST: Final = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH and _IP_ADDRESS_MISMATCH
BROKEN_TLS: Final = re.compile("EOF|BAD_RECORD_MAC|INTERNAL_ERROR")  # OpenSSL's reasons that may not recur


@dataclass(frozen=True, slots=True)
class Host:
    """A host to connect to.

    Attributes:
        name: Its name in messages, with the port if it is not the default.
        advice: What to check if it may be the wrong host.
    """

    name: str
    advice: str

    def failure(self, error: BaseException | None) -> NoAnswerError:
        """Return what a library's error means. Its message is not used: it may contain a URL or bytes from outside."""
        while isinstance(error, exceptions.ProtocolError | exceptions.SSLError) and isinstance(error.args[-1], Exception):
            error = error.args[-1]
        match error:
            case NoAnswerError():
                return error
            case exceptions.ConnectTimeoutError():
                return self._not_connected(error)
            case ssl.SSLError():
                return self._no_tls(error)
            case exceptions.ReadTimeoutError() | TimeoutError():
                if isinstance(error, DeadlineError) or isinstance(error.__cause__, DeadlineError):
                    return NoAnswerError(f"the response from {self.name} took too long", "slow")
                return NoAnswerError(f"{self.name} sent no data for too long")
            case _:
                return self._broken(error)

    def _not_connected(self, failure: exceptions.ConnectTimeoutError) -> NoAnswerError:
        if not isinstance(failure, exceptions.NewConnectionError):
            return NoAnswerError(f"connecting to {self.name} timed out")
        error = failure.__cause__
        if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
            return NoAnswerError(f"cannot resolve {self.name}")
        if isinstance(error, socket.gaierror):
            return NoAnswerError(f"cannot find {self.name}", "lasting", self.advice)
        if isinstance(error, OSError) and error.errno not in {None, errno.ECONNREFUSED}:
            return NoAnswerError(f"cannot connect to {self.name}: {os.strerror(error.errno or 0)}")
        return NoAnswerError(f"the connection to {self.name} was refused", "refused")

    def _not_trusted(self, error: ssl.SSLCertVerificationError) -> NoAnswerError:
        cause = f"the certificate of {self.name} is not trusted: {printable(error.verify_message, LONGEST_REASON).rstrip('.')}"
        if error.verify_code in NOT_VALID_NOW:
            advice = "Check this machine's clock."
        elif error.verify_code in OTHER_HOST:
            advice = self.advice
        elif os.environ.get("SSL_CERT_FILE"):
            advice = "SSL_CERT_FILE is set. Check that the file exists and contains your network's certificate authority."
        else:
            advice = "If your network inspects TLS, set SSL_CERT_FILE to a file with your network's certificate authority."
        return NoAnswerError(cause, "lasting", advice)

    def _no_tls(self, error: ssl.SSLError) -> NoAnswerError:
        if isinstance(error, ssl.SSLCertVerificationError):
            return self._not_trusted(error)
        reason = error.reason or ""
        if not reason or BROKEN_TLS.search(reason):
            return NoAnswerError(f"the TLS connection to {self.name} was interrupted")
        detail = printable(reason.lower().replace("_", " "), LONGEST_REASON)
        return NoAnswerError(f"TLS with {self.name} failed: {detail}", "lasting", self.advice)

    def _broken(self, error: BaseException | None) -> NoAnswerError:
        match error:
            case IncompleteRead():
                return NoAnswerError("the response was incomplete")
            case RemoteDisconnected():
                return NoAnswerError(f"the connection to {self.name} was interrupted")
            case BadStatusLine() | UnknownProtocol():
                return NoAnswerError(f"the response from {self.name} is not HTTP", "lasting", self.advice)
            case EndlessError():
                return NoAnswerError(f"the response from {self.name} does not end", "slow")
            case HTTPException() | ValueError():
                return NoAnswerError(f"the response from {self.name} is not valid HTTP")
            case _:
                return NoAnswerError(f"the connection to {self.name} was interrupted")


@dataclass(frozen=True, slots=True)
class Route:
    """How requests reach an account: directly, or through a proxy."""

    account: Host
    proxy: Host | None = None

    def failure(self, error: BaseException) -> NoAnswerError:
        """Return what a library's error means."""
        if not isinstance(error, exceptions.ProxyError) or not self.proxy:
            return self.account.failure(error)
        proxy, refusal = self.proxy, TUNNEL_REFUSED.match(str(error.original_error))
        if refusal is None:
            return proxy.failure(error.original_error)
        status = int(refusal[1])
        if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            advice = "Add them to HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT."
            return NoAnswerError(f"{proxy.name} requires a user name and password (HTTP 407)", "lasting", advice)
        if status == HTTPStatus.FORBIDDEN:
            advice = "Ask the proxy's administrator to allow it."
            return NoAnswerError(f"{proxy.name} blocks connections to {self.account.name} (HTTP 403)", "lasting", advice)
        return NoAnswerError(f"{proxy.name} cannot connect to {self.account.name} (HTTP {status})")
