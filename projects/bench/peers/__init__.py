"""What runs inside the environment of the peers."""
