"""The documents of a snapshot that the collector renders and the web workers serve: names, shapes, coding."""
