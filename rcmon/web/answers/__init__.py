"""What handlers answer with, and how it is negotiated, compressed and sent."""
