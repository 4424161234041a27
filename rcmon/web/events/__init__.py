"""Live events: what changed, written once and told to many streams (Server-Sent Events, WHATWG HTML 9.2)."""
