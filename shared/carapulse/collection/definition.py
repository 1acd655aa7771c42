"""A collector as data: which reads of one system it makes, and how their answers become nodes and edges. Pure.

Expressions are JMESPath. Those of a read see `input` (what the tenant gave), `context` and `each`. Those of rules see
the answers by the name of their read, each a list with one answer for each time that it was asked; within a rule,
`item` is one of what the rule is for, and `other` what it was found to belong to.
"""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from carapulse.context.model import LabelKey, Word
from carapulse.kernel.record import Record
from carapulse.tools.expressions import compiled
from carapulse.tools.manifest import Sentence
from carapulse.tools.model import JsonObject, Name


def _expression(text: str) -> str:
    compiled(text)
    return text


Expression = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_expression)]
Parts = Annotated[tuple[Expression, ...], Field(min_length=2, max_length=8)]
"""The parts of an id, which stand between slashes."""


class Read(Record):
    """One read action of the system, made once, or once for each element of a list.

    `whole` holds for an answer beside which there is nothing more: without it, a part would be taken for all.
    """

    action: Name
    each: Expression | None = None
    input: dict[str, Expression] = Field(default_factory=dict)
    whole: Expression


class Belonging(Record):
    """What belongs to an item: has the same value, and the labels that the item looks for.

    `same` and `selects` are what the item has, and what the other must have.
    """

    of: Expression
    same: tuple[Expression, Expression]
    selects: tuple[Expression, Expression] | None = None


class Rule(Record):
    """Something for each item of a list, or for each pair of an item and what belongs to it."""

    model_config = ConfigDict(populate_by_name=True)

    of: Expression
    other: Belonging | None = None


class NodeRule(Rule):
    """A node for each. `labels` are made one by one; `more_labels` are the item's own."""

    id: Parts
    kind: Word
    name: Expression
    labels: dict[LabelKey, Expression] = Field(default_factory=dict)
    more_labels: Expression | None = None


class EdgeRule(Rule):
    """An edge for each."""

    from_: Parts = Field(alias="from")
    to: Parts
    relation: Word


class Definition(Record):
    """What the collector of one system does. `place` tells one such system from another, and begins its ids."""

    system: Name
    description: Sentence
    place: Expression
    needs: tuple[Name, ...] = ()
    input_schema: JsonObject = Field(alias="input")
    example: JsonObject
    reads: dict[Name, Read] = Field(min_length=1, max_length=20)
    nodes: tuple[NodeRule, ...] = Field(min_length=1)
    edges: tuple[EdgeRule, ...] = ()
