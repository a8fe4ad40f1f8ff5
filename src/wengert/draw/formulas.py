"""Formulas: what each elementary operation is, and what its local derivatives are, to be read.

They are Python expressions in the operands `x`, `y`, `w` and the result `z`, so that tests can hold
them against the derivative rules; `text` and `latex` print them with the names at hand.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence

LETTERS = "xyw"  # the operands of a formula, in order

# name of the primitive: (the operation, its derivative by each operand)
FORMULAS: dict[str, tuple[str, ...]] = {
    "add": ("x + y", "1", "1"),
    "sub": ("x - y", "1", "-1"),
    "mul": ("x * y", "y", "x"),
    "scale": ("x * y", "y", "x"),
    "div": ("x / y", "1 / y", "-x / y**2"),
    "neg": ("-x", "-1"),
    "reciprocal": ("1 / x", "-1 / x**2"),
    "square": ("x**2", "2 * x"),
    "sqrt": ("sqrt(x)", "1 / (2 * sqrt(x))"),
    "cbrt": ("cbrt(x)", "1 / (3 * cbrt(x)**2)"),
    "abs": ("abs(x)", "sign(x)"),
    "fabs": ("abs(x)", "sign(x)"),
    "sign": ("sign(x)", "0"),
    "power": ("x**y", "y * x**(y - 1)", "x**y * log(x)"),
    "float_power": ("x**y", "y * x**(y - 1)", "x**y * log(x)"),
    "mod": ("mod(x, y)", "1", "-floor(x / y)"),
    "fmod": ("fmod(x, y)", "1", "-trunc(x / y)"),
    "floor_divide": ("floor(x / y)", "0", "0"),
    "floor": ("floor(x)", "0"),
    "ceil": ("ceil(x)", "0"),
    "trunc": ("trunc(x)", "0"),
    "rint": ("rint(x)", "0"),
    "exp": ("exp(x)", "exp(x)"),
    "exp2": ("2**x", "2**x * log(2)"),
    "expm1": ("expm1(x)", "exp(x)"),
    "log": ("log(x)", "1 / x"),
    "log2": ("log2(x)", "1 / (x * log(2))"),
    "log10": ("log10(x)", "1 / (x * log(10))"),
    "log1p": ("log1p(x)", "1 / (1 + x)"),
    "logaddexp": ("logaddexp(x, y)", "exp(x - z)", "exp(y - z)"),
    "logaddexp2": ("logaddexp2(x, y)", "2**(x - z)", "2**(y - z)"),
    "sin": ("sin(x)", "cos(x)"),
    "cos": ("cos(x)", "-sin(x)"),
    "tan": ("tan(x)", "1 / cos(x)**2"),
    "arcsin": ("arcsin(x)", "1 / sqrt(1 - x**2)"),
    "arccos": ("arccos(x)", "-1 / sqrt(1 - x**2)"),
    "arctan": ("arctan(x)", "1 / (1 + x**2)"),
    "sinh": ("sinh(x)", "cosh(x)"),
    "cosh": ("cosh(x)", "sinh(x)"),
    "tanh": ("tanh(x)", "1 - tanh(x)**2"),
    "arcsinh": ("arcsinh(x)", "1 / sqrt(1 + x**2)"),
    "arccosh": ("arccosh(x)", "1 / sqrt(x**2 - 1)"),
    "arctanh": ("arctanh(x)", "1 / (1 - x**2)"),
    "deg2rad": ("deg2rad(x)", "pi / 180"),
    "radians": ("radians(x)", "pi / 180"),
    "rad2deg": ("rad2deg(x)", "180 / pi"),
    "degrees": ("degrees(x)", "180 / pi"),
    "hypot": ("hypot(x, y)", "x / z", "y / z"),
    "arctan2": ("arctan2(x, y)", "y / (x**2 + y**2)", "-x / (x**2 + y**2)"),
    "maximum": ("maximum(x, y)", "indicator(x > y)", "indicator(x < y)"),
    "fmax": ("fmax(x, y)", "indicator(x > y)", "indicator(x < y)"),
    "minimum": ("minimum(x, y)", "indicator(x < y)", "indicator(x > y)"),
    "fmin": ("fmin(x, y)", "indicator(x < y)", "indicator(x > y)"),
    "copysign": ("copysign(x, y)", "sign(x) * sign(y)", "0"),
    "select": ("where(x, y, w)", "0", "indicator(x)", "1 - indicator(x)"),
    "sinc": ("sinc(x)", "(cos(pi * x) - sinc(x)) / x"),
    "less": ("x < y",),
    "less_equal": ("x <= y",),
    "greater": ("x > y",),
    "greater_equal": ("x >= y",),
    "equal": ("x == y",),
    "not_equal": ("x != y",),
    "matmul": ("x @ y",),
}

HOLE, LATEX_HOLE = "□", r"\square"  # stands for what comes from above

# the derivative of a structural operation moves what comes from above (text, LaTeX)
WORDS: dict[str, tuple[str, str]] = {
    "sum": ("1", r"\mathbf{1}"),
    "mean": ("1/n", r"\tfrac{1}{n}"),
    "centre": ("centre(□)", r"\operatorname{centre}(\square)"),
    "convert": ("1", "1"),
    "broadcast": ("sum(□)", r"\textstyle\sum \square"),
    "reshape": ("reshape(□)", r"\operatorname{reshape}(\square)"),
    "permute": ("transpose(□)", r"\square^{\top}"),
    "flip": ("flip(□)", r"\operatorname{flip}(\square)"),
    "index": ("put(□)", r"\operatorname{put}(\square)"),
    "part": ("put(□)", r"\operatorname{put}(\square)"),
    "gather": ("put(□)", r"\operatorname{put}(\square)"),
    "concat": ("part(□)", r"\operatorname{part}(\square)"),
    "stack": ("part(□)", r"\operatorname{part}(\square)"),
    "pad": ("part(□)", r"\operatorname{part}(\square)"),
    "update": ("part(□)", r"\operatorname{part}(\square)"),
    "accumulate": ("part(□)", r"\operatorname{part}(\square)"),
    "cumsum": ("cumsum(□, from the end)", r"\textstyle\sum_{j \ge i} \square_j"),
}


def matmul_derivative(operand: int, dims: tuple[int, int], x: str, y: str) -> tuple[str, str]:
    """What a product of arrays does to what comes from above, by one of its operands.

    >>> matmul_derivative(1, (2, 2), "X", "W")[0]
    'Xᵀ @ □'
    """
    other = y if operand == 0 else x
    if dims == (1, 1):
        return other, other
    if operand == 0:
        if dims[1] == 1:
            return f"outer(□, {y})", rf"\square \otimes {y}"
        return (
            (f"{y} @ □", rf"{y}\, \square")
            if dims[0] == 1
            else (f"□ @ {y}ᵀ", rf"\square\, {y}^{{\top}}")
        )
    if dims[0] == 1:
        return f"outer({x}, □)", rf"{x} \otimes \square"
    return f"{x}ᵀ @ □", rf"{x}^{{\top}}\, \square"


def text(formula: str, names: Mapping[str, str]) -> str:
    """A formula in plain text.

    >>> text("-x / y**2", {"x": "v1", "y": "v2"})
    '-v1/v2²'
    """
    return _Text(names).shown(ast.parse(formula, mode="eval").body)


def latex(formula: str, names: Mapping[str, str]) -> str:
    """A formula in LaTeX; `names` are LaTeX too.

    >>> print(latex("1 / (2 * sqrt(x))", {"x": "v_{1}"}))
    \\frac{1}{2 \\sqrt{v_{1}}}
    """
    return _Latex(names).shown(ast.parse(formula, mode="eval").body)


_STRENGTH = {
    ast.Compare: 1, ast.Add: 2, ast.Sub: 2, ast.Mult: 3, ast.Div: 3, ast.MatMult: 3, ast.USub: 4, ast.Pow: 5,
}  # fmt: skip
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_COMPARED = {ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥", ast.Eq: "=", ast.NotEq: "≠"}


class _Text:
    """Prints a formula's tree; brackets where strengths ask for them."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def shown(self, e: ast.expr, above: int = 0, first: bool = True) -> str:
        """`e`, in brackets if its surroundings bind more strongly.

        `above` is their strength. What begins with a sign is bracketed unless it is the `first` of
        a row.
        """
        if isinstance(e, ast.Name):
            name = self.names.get(e.id, self.symbol(e.id))
            return self.signed(name, above, first) if name.startswith("-") else name
        if isinstance(e, ast.Constant):
            return str(e.value)
        if isinstance(e, ast.UnaryOp):
            return self.signed("-" + self.shown(e.operand, 3, False), above, first)
        if isinstance(e, ast.Call):
            assert isinstance(e.func, ast.Name)
            return self.call(e.func.id, e.args)
        if isinstance(e, ast.Compare):
            sign = self.compared(type(e.ops[0]))
            return self.within(
                f"{self.shown(e.left, 1)} {sign} {self.shown(e.comparators[0], 1)}", 1, above
            )
        assert isinstance(e, ast.BinOp)
        return self.binary(e, above, first)

    def binary(self, e: ast.BinOp, above: int, first: bool) -> str:
        """An operation between two formulas."""
        kind = type(e.op)
        strength = _STRENGTH[kind]
        if kind is ast.Pow:
            return self.within(self.power(e.left, e.right), strength, above)
        left = self.shown(e.left, strength, first)
        right = self.shown(e.right, strength + (kind in (ast.Sub, ast.Div)), False)
        sign = {ast.Add: " + ", ast.Sub: " - ", ast.Mult: "·", ast.Div: "/", ast.MatMult: " @ "}[
            kind
        ]
        return self.within(left + sign + right, strength, above)

    def signed(self, shown: str, above: int, first: bool) -> str:
        """Something that begins with a minus."""
        return shown if above < 2 or (first and above < 5) else self.bracketed(shown)

    def within(self, shown: str, strength: int, above: int) -> str:
        """Brackets if the surroundings bind more strongly."""
        return self.bracketed(shown) if strength < above else shown

    def bracketed(self, shown: str) -> str:
        """In brackets."""
        return f"({shown})"

    def symbol(self, name: str) -> str:
        """A named number."""
        return {"pi": "π"}.get(name, name)

    def compared(self, kind: type[ast.cmpop]) -> str:
        """A sign of comparison."""
        return _COMPARED[kind]

    def power(self, base: ast.expr, exponent: ast.expr) -> str:
        """base to the exponent; small numbers are raised."""
        raised = self.shown(exponent, 5)
        if re.fullmatch(r"-?\d+", raised):
            return self.shown(base, 6) + raised.translate(_RAISED)
        return f"{self.shown(base, 6)}^{raised}"

    def call(self, name: str, args: Sequence[ast.expr]) -> str:
        """A function of formulas."""
        shown = [self.shown(a) for a in args]
        if name == "indicator":
            return f"[{shown[0]}]"
        if name == "abs":
            return f"|{shown[0]}|"
        if name == "sqrt":
            return (
                f"√{self.shown(args[0], 6)}" if isinstance(args[0], ast.Name) else f"√({shown[0]})"
            )
        return f"{name}({', '.join(shown)})"


class _Latex(_Text):
    """The same in LaTeX."""

    _KNOWN = {
        "sin",
        "cos",
        "tan",
        "sinh",
        "cosh",
        "tanh",
        "exp",
        "log",
        "arcsin",
        "arccos",
        "arctan",
    }
    _WRAPPED: Mapping[str, Callable[[str], str]] = {
        "indicator": lambda x: f"[{x}]",
        "abs": lambda x: rf"\left|{x}\right|",
        "sqrt": lambda x: rf"\sqrt{{{x}}}",
        "cbrt": lambda x: rf"\sqrt[3]{{{x}}}",
        "floor": lambda x: rf"\lfloor {x} \rfloor",
        "ceil": lambda x: rf"\lceil {x} \rceil",
        "expm1": lambda x: rf"e^{{{x}}} - 1",
    }

    def binary(self, e: ast.BinOp, above: int, first: bool) -> str:
        if isinstance(e.op, ast.Div):
            if isinstance(e.left, ast.UnaryOp):
                whole = ast.BinOp(e.left.operand, e.op, e.right)
                return self.signed("-" + self.binary(whole, 3, False), above, first)
            return rf"\frac{{{self.shown(e.left)}}}{{{self.shown(e.right)}}}"
        if isinstance(e.op, ast.Mult | ast.MatMult):
            left, right = self.shown(e.left, 3, first), self.shown(e.right, 3, False)
            times = r" \cdot " if right[:1].isdigit() else " "
            return self.within(left + times + right, 3, above)
        return super().binary(e, above, first)

    def bracketed(self, shown: str) -> str:
        return rf"\left({shown}\right)"

    def symbol(self, name: str) -> str:
        return {"pi": r"\pi"}.get(name, name)

    def compared(self, kind: type[ast.cmpop]) -> str:
        return {"≤": r"\leq", "≥": r"\geq", "≠": r"\neq"}.get(_COMPARED[kind], _COMPARED[kind])

    def power(self, base: ast.expr, exponent: ast.expr) -> str:
        if (
            isinstance(base, ast.Call)
            and isinstance(base.func, ast.Name)
            and base.func.id in self._KNOWN
        ):
            inner = self.shown(base.args[0])
            return rf"\{base.func.id}^{{{self.shown(exponent)}}}\left({inner}\right)"
        return f"{{{self.shown(base, 6)}}}^{{{self.shown(exponent)}}}"

    def call(self, name: str, args: Sequence[ast.expr]) -> str:
        shown = [self.shown(a) for a in args]
        if name in self._WRAPPED:
            return self._WRAPPED[name](shown[0])
        command = rf"\{name}" if name in self._KNOWN else rf"\operatorname{{{name}}}"
        return rf"{command}\left({', '.join(shown)}\right)"
