"""The map (docs/architecture.md, section 2) and the house are one: sentences, files, floors."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "src/wengert"
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
MAP = PAGE[PAGE.index("## 2. Rooms") : PAGE.index("## 3. Core data")]
ROOMS = sorted(d for d in HOUSE.rglob("*") if (d / "__init__.py").exists())


def name(path):
    return path.relative_to(HOUSE).as_posix()


def on_the_map(room):
    """The sentence of a room on the map, and its files there."""
    line, sentence, files = re.search(
        rf"^( *{room.name}/ +)(.*)\n((?: +(?:\w+\.py ?)+\n)*)", MAP, re.MULTILINE
    ).groups()
    assert line
    return sentence, files.split()


@pytest.mark.parametrize("room", ROOMS, ids=name)
def test_a_room_begins_with_its_sentence_from_the_map(room):
    docstring = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8")))
    assert docstring.splitlines()[0] == on_the_map(room)[0]


@pytest.mark.parametrize("room", ROOMS, ids=name)
def test_the_map_names_the_files_of_a_room(room):
    files = sorted(f.name for f in room.glob("*.py") if f.name != "__init__.py")
    assert sorted(on_the_map(room)[1]) == files


def test_the_order_of_imports_is_the_contracts():
    """Rooms of the contract that exist, or are announced, stand in the same order on the page."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = contract["tool"]["importlinter"]["contracts"][0]["layers"]
    floors = [set(re.findall(r"\w+", layer)) for layer in reversed(layers)]
    said = [
        set(re.findall(r"\w+", floor))
        for floor in re.search(r"`(errors < .*?)`", MAP)[1].split(" < ")
    ]
    assert said[:-2] == floors[:-2]
    assert said[-2] <= floors[-2]
    assert said[-1] <= floors[-1]
