"""What a job is and does, from its id and states to its HTTP parts."""
