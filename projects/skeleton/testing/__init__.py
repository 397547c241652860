"""The orchestration: entrypoints, configuration, command arguments."""
