"""`python -m rcmon` is `python run.py`."""

from rcmon.launch import main

if __name__ == "__main__":
    main()
