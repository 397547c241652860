"""The roof of the core: from the words of a command line to an exit status."""
