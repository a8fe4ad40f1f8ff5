"""Picture: a Matplotlib figure that shows itself in a notebook and saves itself; nothing global is touched."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

_ABOUT = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)


def new_figure(width: float, height: float, layout: Any = "constrained") -> Any:
    """A figure of its own: no pyplot, no window, no global state."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("a picture needs Matplotlib: pip install 'wengert[demo]'") from error
    return Figure(figsize=(width, height), layout=layout)


class Picture:
    """A drawn figure: shown in notebooks, `save(path)`, and `figure` to go on with in Matplotlib.

    `data` holds the numbers that were drawn.
    """

    def __init__(self, figure: Any, title: str, data: Any = None) -> None:
        self.figure, self.title, self.data = figure, title, data

    def __repr__(self) -> str:
        return f"<picture: {self.title}>"

    def save(self, path: str | Path) -> Path:
        """Write a file; its name's end says what (.png, .svg, .pdf)."""
        self.figure.savefig(path, dpi=150)
        return Path(path)

    def svg(self) -> str:
        """The picture as SVG text, without what Matplotlib writes about itself: the hour, and addresses in the net."""
        with io.StringIO() as out:
            self.figure.savefig(out, format="svg")
            text = out.getvalue()
        return _ABOUT.sub("", text[text.index("<svg") :])

    def _repr_png_(self) -> bytes:
        with io.BytesIO() as out:
            self.figure.savefig(out, format="png", dpi=110)
            return out.getvalue()

    def _repr_html_(self) -> str:
        return f'<div style="overflow:auto">{self.svg()}</div>'
