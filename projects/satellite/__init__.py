"""The compiler hub's satellite: its API, its commands, its envelope."""
