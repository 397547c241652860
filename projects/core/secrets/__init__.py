"""Secrets: a type, their masking, the directory they come from, the search for leaked ones."""
