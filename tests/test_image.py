"""The image's description holds together; that it builds and runs is shown by `make image`, which needs a container engine."""

import fnmatch
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
ENTRYPOINT = "/usr/local/bin/source-zendesk-chat"
PYTHON = "cp313"  # Debian trixie's, which the image is built on


def instructions() -> list[tuple[str, str]]:
    """The Containerfile's instructions with their arguments, continuation lines joined."""
    lines = [line for line in (ROOT / "distribution/image/Containerfile").read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def arguments(word: str) -> list[str]:
    return [rest for found, rest in instructions() if found == word]


IMAGES = ("loader", "source")


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of each stage by its name."""
    found: dict[str, list[tuple[str, str]]] = {}
    for word, rest in instructions():
        if word == "FROM":
            found[rest.split()[-1]] = []
        if found:
            found[list(found)[-1]].append((word, rest))
    return found


def stage(name: str) -> dict[str, str]:
    """A stage's instructions; of a repeated one, the last."""
    return dict(stages()[name])


def environment(name: str) -> dict[str, str]:
    given = [rest for part in ("system", name) for word, rest in stages()[part] if word == "ENV"]
    return dict(pair.split("=", 1) for pair in shlex.split(" ".join(given)))


def ignored(path: str) -> bool:
    """Whether the engine leaves a path out of what it builds from: of the rules that fit, the last."""
    skipped = False
    for rule in (ROOT / ".dockerignore").read_text().split():
        pattern = rule.removeprefix("!")
        parts = [path, *map(str, Path(path).parents)][:-1]
        if any(fnmatch.fnmatch(part, pattern) or fnmatch.fnmatch(f"/{part}", pattern.replace("**", "*")) for part in parts):
            skipped = not rule.startswith("!")
    return skipped


def test_the_platform_finds_what_the_image_runs() -> None:
    assert list(stages())[-1] == "source"  # what is built without a target
    assert stage("source")["ENTRYPOINT"] == f'["{ENTRYPOINT}"]'
    assert environment("source")["AIRBYTE_ENTRYPOINT"] == ENTRYPOINT
    assert stage("loader")["ENTRYPOINT"] == '["/usr/local/bin/zendesk-chat"]'
    linked = re.findall(r"ln -s (\S+) (\S+)", " ".join(arguments("RUN")))
    script = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert {f"{folder}{Path(target).name}" for target, folder in linked} == {f"/usr/local/bin/{name}" for name in script}
    assert ENTRYPOINT in {f"/usr/local/bin/{name}" for name in script}


@pytest.mark.parametrize("image", IMAGES)
def test_it_runs_as_a_user_that_kubernetes_sees_is_not_root(image: str) -> None:
    assert stage(image)["USER"] == "1000:1000"
    assert "useradd --uid 1000 " in stage(image)["RUN"]


@pytest.mark.parametrize("image", IMAGES)
def test_messages_are_buffered_and_bytecode_is_not_written(image: str) -> None:
    assert environment(image)["PYTHONDONTWRITEBYTECODE"] == "1"
    assert "PYTHONUNBUFFERED" not in environment(image)


def test_what_is_copied_exists_and_is_let_in() -> None:
    copied = [source for line in arguments("COPY") if "--from" not in line for source in line.split()[:-1]]
    assert set(copied) == {"pyproject.toml", "uv.lock", "README.md", "LICENSE", "src"}
    for source in copied:
        assert (ROOT / source).exists()
        assert not ignored(source)
    for kept_out in (
        ".git/config",
        ".venv/bin/python",
        "tests/test_image.py",
        "src/zendesk_chat/__pycache__",
        "secrets",
    ):
        assert ignored(kept_out)
    assert not ignored("src/zendesk_chat/airbyte/spec.json")


def test_the_version_is_given_and_checked_never_written() -> None:
    text = (ROOT / "distribution/image/Containerfile").read_text()
    assert re.findall(r"\b\d+\.\d+\.\d+\b", text) == [uv_version()]
    labels = {name: dict(pair.split("=", 1) for pair in shlex.split(stage(name)["LABEL"])) for name in IMAGES}
    assert labels["source"]["io.airbyte.version"] == "${VERSION}"
    assert {one["org.opencontainers.image.version"] for one in labels.values()} == {"${VERSION}"}
    assert '"/wheel/zendesk_chat-${VERSION}-py3-none-any.whl"' in text


def uv_version() -> str:
    """The uv that the Makefile installs."""
    (version,) = re.findall(r"uv==(\S+)", (ROOT / "Makefile").read_text())
    return str(version)


def test_all_stages_are_built_on_one_debian() -> None:
    assert {line.split()[0] for line in arguments("FROM")} == {"${BASE}", "build", "system"}
    (base,) = [rest for rest in arguments("ARG") if rest.startswith("BASE=")]
    assert re.fullmatch(r"BASE=docker\.io/library/debian:[a-z]+-slim", base), "a slim Debian: not musl, no other release"


def needed(*extras: str) -> dict[str, Any]:
    """The packages that the lock file names for these extras on Linux, with what they need in turn."""
    locked: dict[str, Any] = {}
    for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]:
        locked.setdefault(package["name"], package)
    own = locked["zendesk-chat"]
    waiting = [*own["dependencies"], *(one for extra in extras for one in own["optional-dependencies"][extra])]
    found: dict[str, Any] = {}
    while waiting:
        one = waiting.pop()
        if one["name"] in found or "win32" in one.get("marker", "") or "< '3.1" in one.get("marker", ""):
            continue
        found[one["name"]] = package = locked[one["name"]]
        waiting += package.get("dependencies", [])
        waiting += [more for extra in one.get("extra", ()) for more in package.get("optional-dependencies", {}).get(extra, ())]
    return found


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("extras", [(), ("load", "postgres")], ids=IMAGES[::-1])
def test_every_package_has_a_wheel_for_each_machine(machine: str, extras: tuple[str, ...]) -> None:
    """The image has no compiler, so that what comes without a wheel cannot be installed."""
    packages = needed(*extras)
    assert ("psycopg2-binary" in packages) == bool(extras)
    for name, package in packages.items():
        if package["source"].get("editable"):
            continue
        wheels = [wheel["url"].rsplit("/", 1)[1].removesuffix(".whl").split("-")[-3:] for wheel in package["wheels"]]
        fits = [python for python, abi, platform in wheels if abi == "none" and platform == "any"]
        built = [(python, abi) for python, abi, platform in wheels if re.search(f"manylinux.*{machine}", platform)]
        fits += [python for python, abi in built if python == PYTHON or abi == "abi3"]
        assert fits, f"{name} has no wheel for {PYTHON} on {machine}"


def workflow(name: str) -> dict[Any, Any]:
    parsed: dict[Any, Any] = yaml.safe_load((ROOT / ".github/workflows" / name).read_text())
    return parsed


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in workflow(name)["jobs"].values() for step in job.get("steps", [])]


def test_the_release_builds_this_containerfile_for_both_machines_with_the_packages_version() -> None:
    (build,) = [step for step in steps("release.yml") if step.get("uses", "").startswith("docker/build-push-action")]
    assert build["with"]["file"] == "distribution/image/Containerfile"
    assert build["with"]["platforms"].split(",") == ["linux/amd64", "linux/arm64"]
    matrix = workflow("release.yml")["jobs"]["ghcr"]["strategy"]["matrix"]["include"]
    assert build["with"]["target"] == "${{ matrix.target }}"
    assert sorted(image["target"] for image in matrix) == sorted(IMAGES)
    assert build["with"]["build-args"].strip() == "VERSION=${{ needs.dist.outputs.version }}"
    assert build["with"]["sbom"] is True
    assert build["with"]["provenance"] == "mode=max"


def test_nothing_is_published_before_everything_is_tested() -> None:
    jobs = workflow("release.yml")["jobs"]
    for name, job in jobs.items():
        writes = {key for key, value in job.get("permissions", {}).items() if value == "write"}
        if writes:
            assert {"test", "dist", "image"} <= set(job["needs"]), f"{name} may write {writes}"
    assert workflow("release.yml")["permissions"] == {"contents": "read"}
    assert jobs["test"]["uses"] == "./.github/workflows/ci.yml"


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_actions_are_pinned_and_leave_no_token_behind(name: str) -> None:
    for step in steps(name):
        if uses := step.get("uses"):
            assert re.search(r"@(v\d+(\.\d+)*|release/v1)$", uses), uses
            if uses.startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
