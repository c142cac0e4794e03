"""Which proxy the environment names for an account's host."""

from __future__ import annotations

import urllib.request
from typing import Final
from urllib.parse import urlsplit

from zendesk_chat.config import LOOPBACK_HOSTS

PORTS: Final = {"http": 80, "https": 443}


def proxy_for(origin: str) -> str | None:
    """Return the proxy in ``HTTPS_PROXY``; None if ``NO_PROXY`` excludes the host, or the host is this machine."""
    parts = urlsplit(origin)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    proxies = urllib.request.getproxies()
    excepted = proxies.get("no", "").lower().split(",")
    if host in LOOPBACK_HOSTS or any(_excepts(entry.strip(), host, port) for entry in excepted):
        return None
    proxy = None if urllib.request.proxy_bypass(parts.netloc) else proxies.get(parts.scheme)  # the system's own exclusions
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


def _excepts(entry: str, host: str, port: int) -> bool:
    """Return whether an entry of ``NO_PROXY`` matches a host.

    Examples: ``*``, ``zendesk.com`` and its subdomains, ``.zendesk.com``, ``*.zendesk.com``, ``acme.zendesk.com:443``, ``::1``,
    ``[::1]:8443``.
    """
    if entry == "*":
        return True
    name, only_port = _split(entry)
    name = name.removeprefix("*").lstrip(".")
    return bool(name) and (host == name or host.endswith(f".{name}")) and only_port in {"", str(port)}


def _split(entry: str) -> tuple[str, str]:
    """Split an entry into its name and its port, which is "" if there is none."""
    if entry.startswith("["):
        name, _, port = entry[1:].partition("]:")
        return name.removesuffix("]"), port
    if entry.count(":") > 1:
        return entry, ""  # an IPv6 address
    name, _, port = entry.partition(":")
    return name, port
