"""The collectors that come with the program, read from the files beside the manifests and checked as a whole."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from carapulse.collection.definition import Definition, Read, Rule
from carapulse.collection.errors import DefinitionInvalid
from carapulse.kernel.errors import Fault
from carapulse.tools.catalogue import Catalogue
from carapulse.tools.expressions import first_fields
from carapulse.tools.loading import parsed, read_document
from carapulse.tools.model import Effect
from carapulse.tools.schemas import InputSchema, shortcomings

FILE = "collector.yaml"
MANIFEST = "manifest.yaml"
_EVERYWHERE = frozenset({"input", "context"})


@dataclass(frozen=True, slots=True)
class Definitions:
    """Every collector that there is, by its system, and what its input must be."""

    by_system: dict[str, Definition]
    schemas: dict[str, InputSchema]

    @classmethod
    def beside(cls, manifests: Iterable[Path], catalogue: Catalogue) -> Self:
        """Return the collectors beside these manifests, or raise DefinitionInvalid with every fault of the first."""
        beside = (each.with_name(FILE) for each in manifests if each.name == MANIFEST)
        paths = [each for each in beside if each.is_file()]
        found = [load_definition(path, catalogue) for path in paths]
        return cls(
            {each.system: each for each in found}, {each.system: InputSchema(each.input_schema) for each in found}
        )


def load_definition(path: Path, catalogue: Catalogue) -> Definition:
    """Return one collector, or raise DefinitionInvalid."""
    definition, faults = parsed(Definition, read_document(path, DefinitionInvalid))
    if definition is None or (faults := tuple(definition_faults(definition, catalogue))):
        raise DefinitionInvalid("the collector can't be trusted", faults=faults, file=f"{path.parent.name}/{path.name}")
    return definition


def definition_faults(definition: Definition, catalogue: Catalogue) -> Iterator[Fault]:
    """Yield every reason not to trust a collector."""
    if definition.system not in catalogue.manifests:
        yield Fault(pointer="/system", code="unknown-tool", detail="there is no such tool")
        return
    yield from shortcomings(definition.input_schema, "/input")
    try:
        yield from InputSchema(definition.input_schema).faults(definition.example, "/example")
    except ValueError as error:
        yield Fault(pointer="/input", code="schema", detail=str(error))
    names = _EVERYWHERE | {"connection"}
    yield from _reference_faults("/place", [definition.place], definition, names)
    for name, read in definition.reads.items():
        yield from _read_faults(f"/reads/{name}", read, definition, catalogue)
    for number, node in enumerate(definition.nodes):
        more = [node.more_labels] if node.more_labels else []
        said = [*node.id, node.name, *node.labels.values(), *more]
        yield from _rule_faults(f"/nodes/{number}", node, said, definition)
    for number, edge in enumerate(definition.edges):
        yield from _rule_faults(f"/edges/{number}", edge, [*edge.from_, *edge.to], definition)


def _read_faults(place: str, read: Read, definition: Definition, catalogue: Catalogue) -> Iterator[Fault]:
    action = catalogue.manifests[definition.system].actions.get(read.action)
    if action is None:
        yield Fault(pointer=f"{place}/action", code="unknown-action", detail="no such action in this tool")
        return
    if action.effect is not Effect.READ:
        yield Fault(pointer=f"{place}/action", code="effect", detail="a collector only reads")
    known, required = action.input_schema.get("properties"), action.input_schema.get("required")
    for name in read.input.keys() - (known if isinstance(known, dict) else {}).keys():
        yield Fault(pointer=f"{place}/input/{name}", code="unknown-field", detail="the action has no such input")
    for name in {str(each) for each in (required if isinstance(required, list) else [])} - read.input.keys():
        yield Fault(pointer=f"{place}/input/{name}", code="missing", detail="the action needs this input")
    yield from _reference_faults(f"{place}/input", read.input.values(), definition, _EVERYWHERE | {"each"})
    yield from _reference_faults(f"{place}/each", [read.each] if read.each else [], definition, _EVERYWHERE)


def _rule_faults(place: str, rule: Rule, said: list[str], definition: Definition) -> Iterator[Fault]:
    here = _EVERYWHERE | {"item", "place"}
    yield from _reference_faults(f"{place}/of", [rule.of], definition, _answers(definition))
    if rule.other is None:
        yield from _reference_faults(place, said, definition, here)
        return
    pairs = [rule.other.same, *([rule.other.selects] if rule.other.selects else [])]
    yield from _reference_faults(place, said, definition, here | {"other"})
    yield from _reference_faults(f"{place}/other", (own for own, _ in pairs), definition, here)
    yield from _reference_faults(f"{place}/other/of", [rule.other.of], definition, _answers(definition))
    theirs = [other for _, other in pairs]
    yield from _reference_faults(f"{place}/other", theirs, definition, _EVERYWHERE | {"other", "place"})


def _answers(definition: Definition) -> frozenset[str]:
    return _EVERYWHERE | definition.reads.keys()


def _reference_faults(
    place: str, said: Iterable[str], definition: Definition, names: frozenset[str]
) -> Iterator[Fault]:
    properties = definition.input_schema.get("properties")
    known = properties.keys() if isinstance(properties, dict) else set()
    for expression in said:
        for path in filter(None, first_fields(expression)):
            if path[0] not in names:
                yield Fault(pointer=place, code="reference", detail=f"{expression}: nothing is called {path[0]}")
            elif path[0] == "input" and len(path) > 1 and path[1] not in known:
                yield Fault(pointer=place, code="reference", detail=f"{expression}: no such input")
