"""The software bill of materials: CycloneDX, from the lock file, with the licences that the packages declare."""

import base64
import json
import tomllib
from typing import Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement

from distribution.release.bundled import PACKAGES, Bundled
from distribution.release.packages import ROOT, Package, export, locked
from zendesk_chat import __version__


def licences(declared: str) -> list[dict[str, Any]]:
    """A declared licence in CycloneDX's words: an SPDX expression if it is one, else its name."""
    try:
        return [{"expression": canonicalize_license_expression(declared)}]
    except InvalidLicenseExpression:
        return [{"license": {"name": declared}}]


def sbom() -> dict[str, Any]:
    """Everything that runs with the source and its loader on Linux."""
    exported = export("--extra", "load", "--format", "cyclonedx1.5", "--preview-features", "sbom-export")
    document: dict[str, Any] = json.loads(exported)
    used = {package.name: package for package in locked("load")}
    own = document["metadata"]["component"]
    own |= {
        "type": "application",
        "version": __version__,
        "purl": f"pkg:pypi/{own['name']}@{__version__}",
        "licenses": licences("MIT"),
    }
    components = [component for component in document["components"] if component["name"] in used]
    document["components"] = [_with_licence(component, used[component["name"]]) for component in components]
    document["components"] += [_component(package) for package in PACKAGES if package.script]
    names = {component["bom-ref"]: component["name"] for component in components}
    document["dependencies"] = [
        {**entry, "dependsOn": [needed for needed in entry.get("dependsOn", []) if needed in names]}
        for entry in document["dependencies"]
        if entry["ref"] in names
    ]
    bundled = [package.purl for package in PACKAGES if package.script]
    document["dependencies"] += [{"ref": reference, "dependsOn": []} for reference in bundled]
    direct = [reference for reference, name in names.items() if name in declared()] + bundled
    document["dependencies"].append({"ref": own["bom-ref"], "dependsOn": direct})
    return document


def declared() -> set[str]:
    """The names of what this package itself asks for; uv's graph counts the tools of development among them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {Requirement(line).name for line in project["dependencies"] + project["optional-dependencies"]["load"]}


def _component(package: Bundled) -> dict[str, Any]:
    """Return a script of the report's page as a component."""
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "licenses": licences(package.licence),
        "externalReferences": [
            {
                "type": "distribution",
                "url": f"https://registry.npmjs.org/{package.name}/-/{package.name}-{package.version}.tgz",
                "hashes": [{"alg": "SHA-512", "content": base64.b64decode(package.integrity.partition("-")[2]).hex()}],
            }
        ],
    }


def _with_licence(component: dict[str, Any], package: Package) -> dict[str, Any]:
    return {**component, "licenses": licences(package.licence)}
