"""The toolbox group `bench`."""
