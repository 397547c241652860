"""Artifact directories and the journal of a run, with everything that is drawn from it."""
