"""TLS that cannot be talked out of checking, and proxies as companies have them."""

import base64
import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.support.http_fakes import CA, OLD_CA, TOKEN, WireServer, answer, server_tls, serving
from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.proxies import proxy_for
from zendesk_chat.api.transport import HttpTransport, tls_context
from zendesk_chat.clock import SystemClock
from zendesk_chat.errors import ConfigError

ACME = "https://acme.zendesk.com"
PROXY_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def transport(origin: str) -> HttpTransport:
    return HttpTransport(origin, timeout=2, clock=SystemClock(), user_agent="test/1")


@contextlib.contextmanager
def connect_proxy(status: bytes = b"200 Connection established") -> Iterator[WireServer]:
    """A proxy that, once asked to CONNECT, plays the TLS server behind it."""

    def script(connection: socket.socket, _: int) -> None:
        connection.sendall(b"HTTP/1.1 %s\r\n\r\n" % status)
        with server_tls().wrap_socket(connection, server_side=True) as inner:
            inner_heads.append(inner.recv(65536))
            inner.sendall(answer(b"[1]"))
            inner.recv(1)

    inner_heads: list[bytes] = []
    with serving(script) as server:
        server.inner_heads = inner_heads  # type: ignore[attr-defined]
        yield server


def test_a_certificate_nobody_trusts_is_refused() -> None:
    with serving(answer(), server_tls()) as server:
        with pytest.raises(NoAnswerError) as caught:
            transport(server.origin).get(server.origin + "/api", {}, TOKEN)
        assert caught.value.kind == "lasting"
        assert re.fullmatch(
            rf"The certificate of localhost:{server.port} is not trusted: unable to get local issuer certificate\. "
            r"If your network inspects TLS, set SSL_CERT_FILE to a file with your network's certificate authority\.",
            caught.value.message,
        )
        assert server.heads == []


def test_a_company_ca_is_trusted_through_ssl_cert_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", CA)
    with serving(answer(b"[1]"), server_tls()) as server:
        assert transport(server.origin).get(server.origin + "/api", {}, TOKEN).body == b"[1]"


def strict(make: Callable[[], ssl.SSLContext]) -> Callable[[], ssl.SSLContext]:
    """``ssl.create_default_context`` as it is since Python 3.13."""

    def make_strict() -> ssl.SSLContext:
        context = make()
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    return make_strict


def test_a_company_ca_of_the_older_style_is_trusted_by_every_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssl, "create_default_context", strict(ssl.create_default_context))
    monkeypatch.setenv("SSL_CERT_FILE", OLD_CA)
    with serving(answer(b"[1]"), server_tls("old_server.pem")) as server:
        assert transport(server.origin).get(server.origin + "/api", {}, TOKEN).body == b"[1]"


def test_everything_else_is_checked() -> None:
    context = tls_context()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.verify_flags & ssl.VERIFY_X509_TRUSTED_FIRST


@pytest.mark.parametrize(
    ("certificate", "host", "trusted", "message"),
    [
        (
            "server.pem",
            "localhost",
            None,
            r"unable to get local issuer certificate\. If your network inspects TLS, set SSL_CERT_FILE to a file .*",
        ),
        (
            "server.pem",
            "localhost",
            OLD_CA,
            r"unable to get local issuer certificate\. SSL_CERT_FILE is set\. Check that the file exists and contains .*",
        ),
        ("server.pem", "localhost", "/no/such/file", r"unable to get local issuer certificate\. SSL_CERT_FILE is set\. .*"),
        ("expired_server.pem", "localhost", OLD_CA, r"certificate has expired\. Check this machine's clock\."),
        ("old_server.pem", "127.0.0.1", OLD_CA, r"IP address mismatch, .* '127\.0\.0\.1'\. Check the subdomain .*"),
    ],
)
def test_the_reason_of_a_refused_certificate_is_given(
    certificate: str, host: str, trusted: str | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", trusted)
    with serving(answer(), server_tls(certificate)) as server:
        origin = f"https://{host}:{server.port}"
        with pytest.raises(NoAnswerError) as caught:
            transport(origin).get(origin + "/api", {}, TOKEN)
        assert server.heads == []
    assert caught.value.kind == "lasting"
    assert re.fullmatch(rf"The certificate of {host}:{server.port} is not trusted: {message}", caught.value.message)


def test_a_server_that_speaks_no_tls_is_named_with_openssls_reason() -> None:
    def greet(listener: socket.socket) -> None:
        with listener.accept()[0] as connection:
            connection.sendall(b"220 mail.example.com ESMTP\r\n")
            connection.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=greet, args=(listener,))
        thread.start()
        origin = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(NoAnswerError) as caught:
            transport(origin).get(origin + "/api", {}, TOKEN)
        thread.join(5)
    address = origin.removeprefix("https://")
    reason = r"(wrong version number|record layer failure|packet length too long)"
    assert re.fullmatch(rf"TLS with {address} failed: {reason}\. Check the subdomain and your network\.", caught.value.message)
    assert caught.value.kind == "lasting"


def test_a_server_without_tls_gets_no_token() -> None:
    with serving(answer()) as server:
        origin = server.origin.replace("http://", "https://")
        with pytest.raises(NoAnswerError):
            transport(origin).get(origin + "/api", {}, TOKEN)
        assert TOKEN.encode() not in b"".join(server.heads)


def test_https_goes_through_the_proxy_by_connect_and_the_proxy_never_sees_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", CA)
    with connect_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert transport(ACME).get(ACME + "/api", {}, TOKEN).body == b"[1]"
    (head,) = proxy.heads
    assert head.startswith(b"CONNECT acme.zendesk.com:443 HTTP/1.")
    assert b"uthorization" not in head
    (inner,) = proxy.inner_heads  # type: ignore[attr-defined]
    assert b"Bearer " + TOKEN.encode() in inner


def test_the_proxy_is_given_its_own_user_and_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", CA)
    with connect_proxy() as proxy:
        monkeypatch.setenv("https_proxy", f"anna:p%40ss@127.0.0.1:{proxy.port}")
        transport(ACME).get(ACME + "/api", {}, TOKEN)
    expected = base64.b64encode(b"anna:p@ss")
    assert b"Basic " + expected in proxy.heads[0]
    assert expected not in b"".join(proxy.inner_heads)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (
            b"407 Proxy Authentication Required",
            "lasting",
            "The proxy HOST requires a user name and password (HTTP 407). Add them to HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT.",
        ),
        (
            b"403 Forbidden",
            "lasting",
            "The proxy HOST blocks connections to acme.zendesk.com (HTTP 403). Ask the proxy's administrator to allow it.",
        ),
        (b"502 Bad Gateway", "network", "The proxy HOST cannot connect to acme.zendesk.com (HTTP 502)."),
        (b"503 \x1b[31m", "network", "The proxy HOST cannot connect to acme.zendesk.com (HTTP 503)."),
    ],
)
def test_a_proxy_that_refuses(status: bytes, kind: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect_proxy(status) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://anna:secret-word@127.0.0.1:{proxy.port}")
        with pytest.raises(NoAnswerError) as caught:
            transport(ACME).get(ACME + "/api", {}, TOKEN)
    assert caught.value.message == message.replace("proxy HOST", f"proxy 127.0.0.1:{proxy.port}")
    assert caught.value.kind == kind


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    with pytest.raises(NoAnswerError, match=rf"^the connection to the proxy 127.0.0.1:{port} was refused$") as caught:
        transport(ACME).get(ACME + "/api", {}, TOKEN)
    assert caught.value.kind == "refused"


def test_a_proxy_whose_name_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://anna:secret-word@no-such-proxy.invalid:3128")
    with pytest.raises(NoAnswerError) as caught:
        transport(ACME).get(ACME + "/api", {}, TOKEN)
    assert caught.value.message == "Cannot find the proxy no-such-proxy.invalid:3128. Check HTTPS_PROXY."
    assert caught.value.kind == "lasting"


@pytest.mark.parametrize(
    "proxy", ["socks5://anna:secret-word@127.0.0.1:1", "http://", "http://[::1", "http://h:port", "ftp://x"]
)
def test_a_proxy_that_cannot_be_one_is_a_config_error(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigError, match=r"^HTTPS_PROXY: ") as caught:
        transport(ACME)
    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("origin", "environment", "proxy"),
    [
        (ACME, {}, None),
        (ACME, {"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        (ACME, {"https_proxy": "p:3128"}, "http://p:3128"),
        (ACME, {"HTTP_PROXY": "http://p:3128"}, None),
        (ACME, {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "zendesk.com"}, None),
        (ACME, {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": ".zendesk.com, localhost"}, None),
        (ACME, {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "*"}, None),
        (ACME, {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "example.com"}, "http://p:3128"),
        (ACME, {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "acme.zendesk.com:443"}, None),
        (ACME, {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "acme.zendesk.com:8443"}, "http://p:3128"),
        (ACME, {"HTTPS_PROXY": "http://p:3128", "no_proxy": "a.example, *.Zendesk.com:443"}, None),
        (ACME, {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "desk.com,.,*.,:443,"}, "http://p:3128"),
        (ACME + ":8443", {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": ".zendesk.com:8443"}, None),
        (ACME + ":8443", {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "zendesk.com"}, None),
        (ACME + ":8443", {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "acme.zendesk.com:443"}, "http://p:3128"),
        ("https://10.1.2.3:8443", {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "10.1.2.3:8443"}, None),
        ("https://[fd00::5]", {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "fd00::5"}, None),
        ("https://[fd00::5]:8443", {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "[fd00::5]:8443"}, None),
        ("https://[fd00::5]:8443", {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "[fd00::5]:443"}, "http://p:3128"),
        ("http://127.0.0.1:8097", {"HTTP_PROXY": "http://p:3128", "HTTPS_PROXY": "http://p:3128"}, None),
        ("https://localhost:8097", {"HTTPS_PROXY": "http://p:3128"}, None),
        ("http://[::1]:8097", {"HTTP_PROXY": "http://p:3128"}, None),
    ],
)
def test_which_proxy(origin: str, environment: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(origin) == proxy


def test_loopback_is_never_proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    with connect_proxy() as proxy, serving(answer(b"[2]")) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{proxy.port}")
        assert transport(server.origin).get(server.origin + "/api", {}, TOKEN).body == b"[2]"
        assert proxy.connections == 0
