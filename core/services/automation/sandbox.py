"""Jinja's sandbox, narrowed; `templates` beside it loads it when it is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from jinja2 import Template, TemplateSyntaxError, Undefined, nodes
from jinja2.exceptions import SecurityError, TemplateRuntimeError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.domain.errors import InvalidInput, WrongName
from core.services.automation.templates import VARIABLES

_FILTERS = frozenset({"upper", "lower", "title", "capitalize", "trim", "default", "d", "e"})
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Const,
    nodes.Filter,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
)
_MAX_RESULT_CHARS = 20_000
_MAX_DEPTH = 40  # of conditions, filters and words like `or` within each other
_STRANGE = "a template has values, conditions and simple filters: “{name}” is none of them"
_UNKNOWN = "a template does not know “{name}”"


class _Missing(Undefined):
    """A name without a value fills in nothing."""


def check(text: str) -> None:
    """Raise `InvalidInput` where `text` is not a template of the kind we run."""
    _template(text)


def render(text: str, known: Mapping[str, object]) -> str:
    """Return `text` with its holes filled in; see `fill_in`."""
    try:
        return _template(text).render(known)[:_MAX_RESULT_CHARS]
    except (SecurityError, TemplateRuntimeError, TypeError) as error:
        raise InvalidInput(f"the template cannot be filled in: {error}") from None


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=_Missing, autoescape=False, keep_trailing_newline=True
    )
    environment.globals.clear()
    environment.filters = {k: v for k, v in environment.filters.items() if k in _FILTERS}
    environment.tests.clear()
    return environment


def _is_known(named: nodes.Getattr) -> bool:
    of = named.node
    return isinstance(of, nodes.Name) and named.attr in VARIABLES.get(of.name, ())


def _nodes(parsed: nodes.Template) -> Iterator[nodes.Node]:
    """Yield all that a template is made of.

    Raises:
        InvalidInput: it is nested so deeply that Python may not run what is made of it.
    """
    left: list[tuple[nodes.Node, int]] = [(parsed, 0)]
    while left:
        node, depth = left.pop()
        if depth > _MAX_DEPTH:
            raise InvalidInput("the template is nested too deeply")
        yield node
        left.extend((child, depth + 1) for child in node.iter_child_nodes())


@lru_cache(maxsize=256)
def _template(text: str) -> Template:
    environment = _environment()
    try:
        parsed = environment.parse(text)
    except TemplateSyntaxError as error:
        raise InvalidInput(f"line {error.lineno} of the template: {error.message}") from None
    except RecursionError:
        raise InvalidInput("the template is nested too deeply") from None
    for node in _nodes(parsed):
        if not isinstance(node, _ALLOWED):
            raise WrongName(_STRANGE, type(node).__name__.lower())
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            raise WrongName(_STRANGE, node.name)
        if isinstance(node, nodes.Name) and node.name not in VARIABLES:
            raise WrongName(_UNKNOWN, node.name)
        if isinstance(node, nodes.Getattr) and not _is_known(node):
            raise WrongName(_UNKNOWN, node.attr)
    return environment.from_string(text)
