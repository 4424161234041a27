#!/usr/bin/env python3
"""Start rcmon: `python run.py --help` lists the options."""

from rcmon.launch import main

if __name__ == "__main__":
    main()
