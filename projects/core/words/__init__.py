"""Words on a command line: names, signatures, typed values, help and completion."""
