"""The words of bin/satellite."""
