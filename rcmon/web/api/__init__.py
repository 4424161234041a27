"""The API's queries, formats and documents that are made per request."""
