"""What is built from the source: the container image, the release, the files of Airbyte's registry."""
