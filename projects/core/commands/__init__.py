"""One call is one directory, one log, one span: runs, toolbox commands and entrypoints."""
