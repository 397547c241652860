"""How the rooms of the hub are wired to each other and to the server."""
