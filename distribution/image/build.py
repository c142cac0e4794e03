"""Build the image: ``python -m image.build --help``."""

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

from distribution.image import debian, engine
from zendesk_chat import __version__

ROOT: Final = Path(__file__).parents[2]
CONTAINERFILE: Final = Path(__file__).with_name("Containerfile")
AIRBYTE_MB: Final = 337  # the Python environment alone that Airbyte's own connector needs: airbyte-cdk 7.39.1, installed


def default_base() -> str:
    """The base image that the Containerfile names."""
    (base,) = re.findall(r"^ARG BASE=(\S+)$", CONTAINERFILE.read_text(), re.MULTILINE)
    return str(base)


def build(base: str) -> None:
    """Build the image on this base."""
    given = [f"BASE={base}", f"VERSION={__version__}"]
    secrets = []
    if certificates := os.environ.get("SSL_CERT_FILE"):  # this machine trusts more than the world does: so must the build
        given.append("SSL_CERT_FILE=/run/secrets/ca")
        secrets.append(f"id=ca,src={certificates}")
    options = [part for value in given for part in ("--build-arg", value)] + [f"--secret={secret}" for secret in secrets]
    engine.do("build", *engine.platform(), *options, f"--file={CONTAINERFILE}", f"--tag={engine.IMAGE}", str(ROOT))


def _say_sizes(base: str) -> None:
    total, below = (engine.size_bytes(image) / 1e6 for image in (engine.IMAGE, base))
    connector = engine.ask("run", "--rm", *engine.platform(), "--entrypoint=du", engine.IMAGE, "-sb", "/opt/zendesk-chat")
    own = int(connector.split()[0]) / 1e6
    print(
        f"{engine.IMAGE}: {total:.0f} MB, {total - below:.0f} MB of it on top of {base}, {own:.1f} MB of that the connector"
        f" and its packages. The environment of Airbyte's own connector: {AIRBYTE_MB} MB, before any base."
    )


def main() -> None:
    """Make what is missing, build, and say how large it is."""
    parser = argparse.ArgumentParser("make image", description="Build the container image.")
    parser.add_argument("--install", action="store_true", help="install what is missing from Debian's packages (as root)")
    parser.add_argument("--base", default=default_base(), metavar="IMAGE", help="build on this image (default: %(default)s)")
    parser.add_argument("--debootstrap", action="store_true", help="make the base image here (as root): no registry is asked")
    options = parser.parse_args()
    if options.install and not engine.found():
        debian.require("podman", "runc", install=True)
    if options.debootstrap:
        debian.require("debootstrap", install=options.install)
        options.base = debian.make_base(options.base.split(":")[-1].removesuffix("-slim"))
    build(options.base)
    _say_sizes(options.base)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failed:  # the tool has printed the reason
        sys.exit(f"Failed: {shlex.join(map(str, failed.cmd))}")
