"""How the server is put together and run."""
