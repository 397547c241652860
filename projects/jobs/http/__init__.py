"""HTTP parts that the roof and the façades share."""
