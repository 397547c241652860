"""Commands on jobs of a server."""
