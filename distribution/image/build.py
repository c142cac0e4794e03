"""Build the images: ``python -m distribution.image.build --help``."""

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


def default_base() -> str:
    """The base image that the Containerfile names."""
    (base,) = re.findall(r"^ARG BASE=(\S+)$", CONTAINERFILE.read_text(), re.MULTILINE)
    return str(base)


def build(base: str, target: str, extras: str) -> None:
    """Build an image on this base: a stage of the Containerfile."""
    given = [f"BASE={base}", f"VERSION={__version__}", *([f"EXTRAS={extras}"] if target == "loader" else [])]
    secrets = []
    if certificates := os.environ.get("SSL_CERT_FILE"):  # this machine trusts more than the world does: so must the build
        given.append("SSL_CERT_FILE=/run/secrets/ca")
        secrets.append(f"id=ca,src={certificates}")
    options = [part for value in given for part in ("--build-arg", value)] + [f"--secret={secret}" for secret in secrets]
    image = engine.TARGETS[target]
    engine.do(
        "build", *engine.platform(), *options, f"--file={CONTAINERFILE}", f"--target={target}", f"--tag={image}", str(ROOT)
    )


def _say_sizes(base: str, image: str) -> None:
    total, below = (engine.size_bytes(name) / 1e6 for name in (image, base))
    packages = engine.ask("run", "--rm", *engine.platform(), "--entrypoint=du", image, "-sb", "/opt/zendesk-chat")
    own = int(packages.split()[0]) / 1e6
    print(
        f"{image}: {total:.0f} MB, {total - below:.0f} MB of it on top of {base}, {own:.1f} MB of that the package"
        " and its dependencies."
    )


def main() -> None:
    """Make what is missing, build, and say how large each image is."""
    parser = argparse.ArgumentParser("make image", description="Build the container images.")
    parser.add_argument("--install", action="store_true", help="install what is missing from Debian's packages (as root)")
    parser.add_argument("--base", default=default_base(), metavar="IMAGE", help="build on this image (default: %(default)s)")
    parser.add_argument("--debootstrap", action="store_true", help="make the base image here (as root): no registry is asked")
    parser.add_argument("--only", choices=engine.TARGETS, help="build one of the images (default: both)")
    parser.add_argument(
        "--extras", default="load postgres", metavar="NAMES", help="extras of the package in the loader (default: %(default)s)"
    )
    options = parser.parse_args()
    if options.install and not engine.found():
        debian.require("podman", "runc", install=True)
    if options.debootstrap:
        debian.require("debootstrap", install=options.install)
        options.base = debian.make_base(options.base.split(":")[-1].removesuffix("-slim"))
    for target, image in engine.TARGETS.items():
        if options.only in (None, target):
            build(options.base, target, options.extras)
            _say_sizes(options.base, image)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failed:  # the tool has printed the reason
        sys.exit(f"Failed: {shlex.join(map(str, failed.cmd))}")
