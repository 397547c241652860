"""Every project and every room of the toolkit lives below this package."""
