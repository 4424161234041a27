"""The service's own figures: declared, counted, told."""
