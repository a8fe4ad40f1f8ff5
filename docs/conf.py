"""Sphinx: `make docs` builds these pages with warnings as errors."""

project = "wengert"
author = "The wengert maintainers"
extensions = ["myst_parser"]
myst_heading_anchors = 3
