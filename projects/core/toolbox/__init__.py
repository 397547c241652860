"""Toolbox commands of the core: the configuration seen from a terminal."""
