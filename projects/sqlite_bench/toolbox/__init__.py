"""The toolbox group `sqlite`."""
