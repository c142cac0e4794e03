"""A certificate for localhost, made for one run and trusted by nobody else."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make one; returns what the server needs (certificate and key) and what the programs trust (the certificate)."""
    key, trusted, both = folder / "key.pem", folder / "trusted.pem", folder / "server.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    extensions = ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:TRUE"]
    subprocess.run([*command, *extensions, "-keyout", key, "-out", trusted], check=True, capture_output=True)
    both.write_text(trusted.read_text() + key.read_text())
    return both, trusted
