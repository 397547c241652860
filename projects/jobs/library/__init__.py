"""The doors to a job server: a client, and run-and-wait for orchestrations."""
