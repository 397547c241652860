"""Unit files, with which systemd keeps a satellite running."""
