"""The source of `manifest.yaml`, run by Airbyte's CDK as its own low-code sources are."""

from __future__ import annotations

import sys
from pathlib import Path

from airbyte_cdk.entrypoint import AirbyteEntrypoint, launch
from airbyte_cdk.sources.declarative.yaml_declarative_source import YamlDeclarativeSource


def main(arguments: list[str]) -> None:
    catalog, config = AirbyteEntrypoint.extract_catalog(arguments), AirbyteEntrypoint.extract_config(arguments)
    source = YamlDeclarativeSource(
        path_to_yaml=str(Path(__file__).with_name("manifest.yaml")),
        catalog=YamlDeclarativeSource.read_catalog(catalog) if catalog else None,
        config=YamlDeclarativeSource.read_config(config) if config else None,
        state=None,
    )
    launch(source, arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
