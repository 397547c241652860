"""Toolbox commands of the skeleton project."""
