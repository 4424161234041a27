"""The bridge on an agent's node: what an unmodified agent asks MonIT is answered by rcmon, or not at all."""
