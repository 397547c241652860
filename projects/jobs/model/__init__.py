"""What every part of the job system speaks of: ids, moments, states, entities."""
