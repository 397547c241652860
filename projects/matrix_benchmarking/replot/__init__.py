"""From the address of artifacts to a directory with what is needed of them."""
