"""What a run is to do: documents, layers, presets, references, and where each value is from."""
