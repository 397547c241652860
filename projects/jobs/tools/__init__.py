"""What can be run: test scripts with their spec.json, entrypoints of projects."""
