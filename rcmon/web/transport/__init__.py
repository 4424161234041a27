"""From sockets to requests; and all that leans on Tornado beyond what it documents.

- `wire`: a stream reads by its own `read_from_fd` (a method that subclasses write), which is replaced on the
  stream; while nothing waits to be written, answers go past its buffer by `write_to_fd`.
- `tornado_way`: HTTP1Connection says the literal `BARE_400` and no more to what is no request, and closes its
  stream; it asks of a stream what `Replay` offers; it writes a `Connection` field by itself, over which
  `LastFields` has the last word; `read_response` is one request, and tells whether another may come.
- `connection`: `wait_for_handshake` raises whatever ended the handshake.

So Tornado's minor version is pinned. The tests compare both ways, answer by answer: what changes below shows
there.
"""
