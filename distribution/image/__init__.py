"""Builds the container image and tests it: ``make image``."""
