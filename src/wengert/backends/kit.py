"""The kit: the words in which a primitive says what loops it is (`Primitive.lower`).

An array here is a node of the graph. Nothing is computed yet: a word describes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.backends import flow, lapack, maps, products, spectra
from wengert.backends.graph import Node
from wengert.backends.moves import Moves
from wengert.backends.stacks import Slice
from wengert.backends.words import NUMBER
from wengert.ir.program import Program
from wengert.ir.types import ArrayType, StackType


class Kit(Moves):
    """Makes nodes: of products, factors and programs, and in all plainer words."""

    def contract(self, left: str, right: str, out: str, a: Node, b: Node) -> Node:
        """An Einstein sum of two arrays: written out, a sum in loops, or a product of matrices."""
        return products.contract(self, left, right, out, a, b)

    def solve(self, a: Node, b: Node, triangle: tuple[bool, bool] | None = None) -> Node:
        """x with a x = b; `triangle`: of a triangular matrix (lower, unit diagonal)."""
        return lapack.solve(self, a, b, triangle)

    def inverse(self, a: Node, lenient: bool) -> Node:
        """The inverse; of a singular matrix an error, or nan where `lenient`."""
        return lapack.inverse(self, a, lenient)

    def determinant(self, a: Node) -> tuple[Node, Node]:
        """Sign and logarithm of the size of a determinant."""
        return lapack.determinant(self, a)

    def cholesky(self, a: Node) -> Node:
        """Lower l with l lᴴ = a."""
        return lapack.cholesky(self, a)

    def eigh(self, a: Node) -> tuple[Node, ...]:
        """Eigenvalues and -vectors of a symmetric matrix."""
        return spectra.eigh(self, a)

    def svd(self, a: Node, full: bool) -> tuple[Node, ...]:
        """u, s, vh; square u and vh where `full`."""
        return spectra.svd(self, a, full)

    def qr(self, a: Node, full: bool) -> tuple[Node, ...]:
        """q, r; a square q where `full`."""
        return spectra.qr(self, a, full)

    def searched(self, a: Node, v: Node, right: bool) -> Node:
        """Where v would go in the sorted a."""
        return lapack.searched(self, a, v, right)

    def cond(self, which: Node, args: Sequence[Node], true: Program, false: Program) -> Any:
        """One of two programs."""
        return flow.cond(self, which, args, true, false)

    def scan(self, args: Sequence[Node], types: Sequence[Any], **params: Any) -> Any:
        """A loop over slices; `types` of the results."""
        in_types = [self.type_of(a) for a in args]
        return flow.scan(self, args, types=types, in_types=in_types, **params)

    def while_loop(
        self, args: Sequence[Node], cond: Program, body: Program, consts: int, types: Sequence[Any]
    ) -> Any:
        """A loop that goes on as long as its values say so."""
        return flow.while_loop(self, args, cond, body, consts, types)

    def mapped(
        self, args: Sequence[Node], body: Program, flags: Sequence[bool], extent: int
    ) -> Any:
        """A program for every example of a batch as one loop; None where the body is too large."""
        return maps.mapped(self, args, body, flags, extent)

    def inlined(
        self, program: Program, args: Sequence[Node], late: bool = False
    ) -> tuple[Node, ...]:
        """The equations of a program, here; `late`: none is computed before all arguments are there."""
        from wengert.backends.lowering import inline

        line, after = self.line, self.after
        if late:
            self.after = (*after, *args)
        found = inline(self, program, args)
        self.line, self.after = line, after
        return tuple(found)

    def stack(self, item: Any) -> Node:
        """The stack without items."""
        node = Node("given", (), NUMBER)
        node.array = Slice(None, item, self.region.e.zero, self.region.e.zero)
        return self.add(node)

    def type_of(self, node: Node) -> Any:
        """The type of a node; of a stack as far as it matters."""
        if node.kind == "result":
            return node.step.types[node.number]
        if node.array.__class__ is Slice:
            return StackType(node.array.item_type)
        return ArrayType.of(node.shape, node.dtype)
