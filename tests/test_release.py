"""The version, the licences and the bill of materials of a release are correct."""

import tomllib
from pathlib import Path

import pytest

from distribution.release.bundled import FOLDER, LICENCES, PACKAGES
from distribution.release.licences import DOCUMENT, page
from distribution.release.packages import locked
from distribution.release.sbom import licences, sbom
from distribution.release.version import disagreement
from zendesk_chat import __version__

ROOT = Path(__file__).parent.parent


def versions() -> dict[str, str]:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return {package["name"]: package.get("version", "") for package in packages}


def test_the_page_of_licences_is_that_of_the_lock_file() -> None:
    assert DOCUMENT.read_text() == page(), "run `make licences`"
    assert "not declared" not in DOCUMENT.read_text()


def test_a_changed_version_makes_it_out_of_date() -> None:
    (urllib3,) = [package for package in locked() if package.name == "urllib3"]
    assert f"| {urllib3.version} | MIT |" in DOCUMENT.read_text()
    assert page().replace(urllib3.version, "0.0.0") != DOCUMENT.read_text()


def test_the_packages_are_those_that_a_user_gets() -> None:
    core, load = locked(), locked("load")
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert [package.name for package in core] == sorted(line.split(">")[0] for line in declared)
    assert set(core) < set(load)
    assert {"dlt", "duckdb", "pyarrow", "rich"} < {package.name for package in load}
    assert not {"pytest", "twine", "hatchling", "pywin32"} & {package.name for package in load}
    for package in load:
        assert package.version == versions()[package.name]


def test_the_bill_of_materials_names_each_package_with_licence_and_digests() -> None:
    bill = sbom()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert bill["metadata"]["component"]["purl"] == f"pkg:pypi/zendesk-chat@{__version__}"
    named = {component["purl"] for component in bill["components"]}
    scripts = {package.purl for package in PACKAGES if package.script}
    assert named == {f"pkg:pypi/{package.name}@{package.version}" for package in locked("load")} | scripts
    for component in bill["components"]:
        assert len(component["licenses"]) == 1
        digests = [digest["content"] for reference in component["externalReferences"] for digest in reference["hashes"]]
        assert digests
        assert all(len(digest) in {64, 128} for digest in digests)
    names = {component["bom-ref"]: component["name"] for component in bill["components"]}
    graph = {entry["ref"]: [names[needed] for needed in entry["dependsOn"]] for entry in bill["dependencies"]}
    own = bill["metadata"]["component"]["bom-ref"]
    assert set(graph) == {*names, own}
    asked = sorted({line.split(">")[0].split("[")[0].split(";")[0] for line in asked_for()})
    assert graph[own] == [*asked, "vega", "vega-lite", "vega-embed"]


def test_the_scripts_of_the_report_are_those_that_are_pinned_and_come_with_their_licences() -> None:
    licences_text = (FOLDER / LICENCES).read_text()
    for package in PACKAGES:
        assert f"{package.name} ({package.licence})" in licences_text
        if package.script:
            script = (FOLDER / Path(package.script).name).read_text()
            assert f'"{package.version}"' in script
            assert "sourceMappingURL" not in script


def asked_for() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines: list[str] = project["dependencies"] + project["optional-dependencies"]["load"]
    return lines


def test_a_licence_is_an_expression_or_a_name() -> None:
    assert licences("MPL-2.0 AND (Apache-2.0 OR MIT)") == [{"expression": "MPL-2.0 AND (Apache-2.0 OR MIT)"}]
    assert licences("MIT License") == [{"license": {"name": "MIT License"}}]


@pytest.mark.parametrize(
    ("tag", "changelog", "complaint"),
    [
        (f"v{__version__}", f"# Changelog\n\n## {__version__} (2026-12-01)\n", None),
        (f"v{__version__}", f"# Changelog\n\n## {__version__} (unreleased)\n", "CHANGELOG.md must begin"),
        (f"v{__version__}", "# Changelog\n\n## 0.0.9 (2026-12-01)\n", "CHANGELOG.md must begin"),
        (f"v{__version__}", "", "CHANGELOG.md must begin"),
        ("v99.0.0", f"## {__version__} (2026-12-01)\n", "The tag is v99.0.0, but the version is"),
        (__version__, f"## {__version__} (2026-12-01)\n", "The tag is"),
    ],
)
def test_a_tag_is_a_release_only_if_all_agree(tag: str, changelog: str, complaint: str | None) -> None:
    found = disagreement(tag, changelog)
    assert found is None if complaint is None else found is not None and found.startswith(complaint)


def test_the_changelog_describes_this_version() -> None:
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    assert headings[0].split()[1] == __version__
