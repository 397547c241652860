"""The forms that clients of the satellite know: envelope, statuses, moments, jobs."""
