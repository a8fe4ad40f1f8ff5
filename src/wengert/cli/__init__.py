"""THE COMMAND LINE: `wengert`, or `python -m wengert`: derivatives, checks and pictures of functions in files."""
