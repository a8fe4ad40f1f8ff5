"""Our pictures and graphs in the gallery: a scraper for sphinx-gallery, beside Matplotlib's."""

from sphinx_gallery.scrapers import figure_rst

from wengert.draw.graph import Graph
from wengert.draw.picture import Picture


def scraper(block, block_vars, gallery_conf):
    """Save what an example has made since its last block."""
    seen = block_vars["example_globals"].setdefault("_seen", set())
    paths = []
    for value in list(block_vars["example_globals"].values()):
        if isinstance(value, Picture | Graph) and id(value) not in seen:
            seen.add(id(value))
            paths.append(next(block_vars["image_path_iterator"]))
            value.save(paths[-1])
    return figure_rst(paths, gallery_conf["src_dir"])


def _get_sg_image_scraper():  # the name that sphinx-gallery asks for
    return scraper
