"""The skeleton project: what is tested, how it is prepared and cleaned up."""
