"""The toolbox group `server`."""
