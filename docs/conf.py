"""Sphinx: `make docs` builds these pages with warnings as errors, and runs the gallery."""

import sys
from pathlib import Path

import matplotlib as mpl

here = Path(__file__).parent
sys.path[:0] = [str(here.parent / "src"), str(here)]  # these pages are about this tree
mpl.use("Agg")

import wengert  # noqa: E402

project = "wengert"
author = "The wengert maintainers"
version = release = wengert.__version__
extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx_gallery.gen_gallery"]  # fmt: skip
exclude_patterns = ["gallery/README.txt"]
templates_path = ["templates"]

myst_heading_anchors = 3
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "wengert"
html_show_sourcelink = False
html_static_path = ["static"]
html_css_files = ["wide.css"]
html_sidebars = {page.stem: [] for page in here.glob("*.md") if page.stem != "api"}
html_theme_options = {"navigation_with_keys": True, "secondary_sidebar_items": ["page-toc"]}


sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "gallery_built",
    "filename_pattern": r"\.py$",
    "image_scrapers": ("matplotlib", "pictures_in_gallery"),
    "ignore_repr_types": r"Picture|Graph|Axes|Legend|Text|list",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "within_subsection_order": "FileNameSortKey",
    "remove_config_comments": True,
    "plot_gallery": "True",
}
