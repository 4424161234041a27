"""The grid of the pages with another component down: something of everything that commands show."""

import functools

from tests.browser import grid

make_grid = functools.partial(grid.make_grid, down="JobSubmitter")
