"""Artifact directories that runs export to the hub."""
