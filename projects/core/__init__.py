"""The ground floor: words, configuration, artifact directories, processes, export."""

__version__ = "0.1.0"
