"""The documentation: a file of Markdown for each chapter, read where the project lies and served by rcmon.

`README.md` beside them is its index. What a service shows is that of the very version that runs.
"""
