"""Configuration: from command line, environment and file to one frozen Config."""
