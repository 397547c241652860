"""The toolbox group `matrix_benchmarking`."""
