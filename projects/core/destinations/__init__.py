"""Where artifacts are exported to: the seam, the folder, the manifest, the export itself."""
