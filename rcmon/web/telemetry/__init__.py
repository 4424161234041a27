"""The service's own figures as they are told: summed over all processes, or read at the scrape."""
