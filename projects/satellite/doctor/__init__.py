"""What a user needs to know when nothing runs: checks, each with what to do."""
