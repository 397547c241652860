"""The orchestration that measures the toolkit."""
