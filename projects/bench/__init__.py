"""The toolkit measuring itself, beside its peers."""
