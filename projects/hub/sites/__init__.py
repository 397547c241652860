"""Satellites that the hub knows, and this machine: one interface."""
