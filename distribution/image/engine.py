"""The container engine: docker where its daemon answers, else podman, which needs none."""

import os
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

IMAGE: Final = os.environ.get("IMAGE", "localhost/source-zendesk-chat:dev")
LOADER: Final = os.environ.get("LOADER_IMAGE", "localhost/zendesk-chat-loader:dev")
TARGETS: Final = {"source": IMAGE, "loader": LOADER}  # stages of the Containerfile
PLATFORM: Final = os.environ.get("PLATFORM", "")  # such as linux/arm64, if this machine runs it: with qemu-user-static
_WITHOUT_SYSTEMD: Final = Path(__file__).parent / "containers.conf"


def _answers(name: str) -> bool:
    return shutil.which(name) is not None and not subprocess.run([name, "info"], capture_output=True, check=False).returncode


def found() -> tuple[str, ...]:
    """The engine's command line: ``ENGINE`` of the environment, or what answers; nothing if nothing does."""
    if given := os.environ.get("ENGINE"):
        return tuple(shlex.split(given))
    return next(((name,) for name in ("docker", "podman") if _answers(name)), ())


@cache
def command() -> tuple[str, ...]:
    """The engine's command line, which must be there."""
    return found() or sys.exit("There is no container engine: start docker, or on Debian: make image OPTIONS=--install")


def environment() -> dict[str, str]:
    """The engine's environment. Podman expects systemd unless it is configured otherwise."""
    extra = {} if Path("/run/systemd/system").exists() else {"CONTAINERS_CONF": str(_WITHOUT_SYSTEMD)}
    return extra | os.environ


def platform() -> tuple[str, ...]:
    """The option that names the platform; none for this machine's own."""
    return (f"--platform={PLATFORM}",) if PLATFORM else ()


def ask(*arguments: str) -> str:
    """What the engine answers."""
    done = subprocess.run([*command(), *arguments], env=environment(), check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def do(*arguments: str) -> None:
    """Let the engine do something for a person to see."""
    subprocess.run([*command(), *arguments], env=environment(), check=True)


def size_bytes(image: str) -> int:
    """The size of the image in bytes, uncompressed."""
    return int(ask("image", "inspect", "--format", "{{.Size}}", image))
