"""How fast and how small the source is beside a bare script and Airbyte's CDK; started by `make bench`."""
