"""Compile one expression so that columns, functions and trained transforms never clash."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType

from skmixed.formula.checks import Access, accesses_in, check_syntax
from skmixed.formula.identifiers import attribute_key, call_key, keep_spelling

__all__ = ["Names", "Program", "compiled", "names_in"]


@dataclass(frozen=True, slots=True)
class Names:
    """Hold the names in an expression by their use, and the column if it is nothing else."""

    variables: tuple[str, ...]
    called: tuple[str, ...]
    attributed: tuple[str, ...]
    accesses: tuple[Access, ...]
    column: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Hold the compiled expression and, pass by pass, the calls that train its transforms.

    ``passes`` lists (key of the transform, name of its function, code of the training call).
    """

    evaluation: CodeType
    passes: tuple[tuple[tuple[str, str, CodeType], ...], ...]


@lru_cache(maxsize=1024)
def names_in(code: str) -> Names:
    """Find the names that an expression uses."""
    tree = _parse(code)
    accesses, rewriter = accesses_in(tree), _Rewriter(frozenset())
    try:
        body = rewriter.visit(tree.body)
    except RecursionError as error:
        raise _too_deep(code) from error
    return Names(
        tuple(rewriter.variables),
        tuple(rewriter.called),
        tuple(rewriter.attributed),
        accesses,
        body.id if isinstance(body, ast.Name) else None,
    )


@lru_cache(maxsize=1024)
def compiled(code: str, stateful: frozenset[str]) -> Program:
    """Compile an expression in which calls of the stateful names become trained transforms."""
    tree = _parse(code)
    rewriter = _Rewriter(stateful)
    tree.body = rewriter.visit(tree.body)
    depth = max((level for level, *_ in rewriter.trainings), default=0)
    passes = tuple(
        tuple(
            (key, name, _compile(ast.Expression(call), code))
            for level, key, name, call in rewriter.trainings
            if level == current
        )
        for current in range(1, depth + 1)
    )
    return Program(_compile(tree, code), passes)


def _parse(code: str) -> ast.Expression:
    """Parse a Python expression."""
    try:
        tree = ast.parse(code.strip(), mode="eval")
    except SyntaxError as error:
        raise ValueError(
            f"The expression {code!r} of the formula is not valid Python ({error.msg}): expected "
            'for instance log(x), or Q("my column") for a name with spaces or dots.'
        ) from error
    except (RecursionError, MemoryError) as error:
        raise _too_deep(code) from error
    check_syntax(tree, code)
    return keep_spelling(tree, code.strip())


def _too_deep(code: str) -> ValueError:
    """Say that an expression is nested more deeply than Python can read."""
    return ValueError(
        f"An expression of the formula is nested too deeply: {code[:60]!r}... Compute it as a "
        "column of the data first."
    )


def _compile(tree: ast.Expression, code: str) -> CodeType:
    """Compile a rewritten tree."""
    return compile(ast.fix_missing_locations(tree), f"<formula: {code}>", "eval")


class _Rewriter(ast.NodeTransformer):
    """Replace names by their keys and calls of stateful functions by transforms."""

    def __init__(self, stateful: frozenset[str]) -> None:
        self.stateful = stateful
        self.variables: dict[str, None] = {}
        self.called: dict[str, None] = {}
        self.attributed: dict[str, None] = {}
        self.trainings: list[tuple[int, str, str, ast.Call]] = []
        self._level = 0

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Note a variable."""
        self.variables[node.id] = None
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        """Note the module or object whose attribute is taken."""
        if not isinstance(node.value, ast.Name):
            self.generic_visit(node)
            return node
        self.attributed[node.value.id] = None
        base = ast.Name(attribute_key(node.value.id), ast.Load())
        return ast.Attribute(base, node.attr, ast.Load())

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Note a function, or read the column that ``Q("...")`` quotes."""
        if not isinstance(node.func, ast.Name):
            self.generic_visit(node)
            return node
        name = node.func.id
        if name == "Q" and len(node.args) == 1 and isinstance(node.args[0], ast.Constant):
            return self.visit_Name(ast.Name(str(node.args[0].value), ast.Load()))
        self.called[name] = None
        outer, self._level = self._level, 0
        arguments = [self.visit(argument) for argument in node.args]
        keywords = [ast.keyword(word.arg, self.visit(word.value)) for word in node.keywords]
        function: ast.expr = ast.Name(call_key(name), ast.Load())
        if name in self.stateful:
            function = self._transform(name, arguments, keywords)
        self._level = max(outer, self._level)
        return ast.Call(function, arguments, keywords)

    def _transform(
        self, name: str, arguments: list[ast.expr], keywords: list[ast.keyword]
    ) -> ast.Attribute:
        """Note the training call of a transform, a pass after those of its arguments."""
        self._level += 1
        key = f"transform {len(self.trainings)}"
        memorize = ast.Attribute(ast.Name(key, ast.Load()), "memorize_chunk", ast.Load())
        call = ast.Call(memorize, arguments, keywords)
        self.trainings.append((self._level, key, name, call))
        return ast.Attribute(ast.Name(key, ast.Load()), "transform", ast.Load())
