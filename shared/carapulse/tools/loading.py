"""Reading manifests and connections from YAML: once, strictly, with the place of every fault."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from carapulse.kernel.errors import Fault, Invalid
from carapulse.kernel.pointers import escaped
from carapulse.tools.checks import manifest_faults
from carapulse.tools.errors import ManifestInvalid
from carapulse.tools.manifest import Manifest

Shape = TypeVar("Shape", bound=BaseModel)
_LARGEST = 1_048_576
_DEEPEST = 100
_OPENING = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_CLOSING = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


class _StrictLoader(yaml.CSafeLoader):
    """YAML without duplicate keys, where a second one would silently win. By libyaml, in a tenth of the time."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - theirs
        """Refuse a key that stands twice, or that is no string."""
        seen = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            name = self.construct_object(key, deep=True)
            if not isinstance(name, str) or name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {name!r} twice or no text", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def read_document(path: Path, problem: type[Invalid]) -> Any:  # noqa: ANN401 - any YAML value
    """Return the one YAML document of a file, or raise the given problem."""
    try:
        text = path.read_text(encoding="utf-8")
        if len(text) > _LARGEST:
            raise problem("the file is too large", file=path.name)
        _refuse_depth(text)
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - derives from CSafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        fault = Fault(pointer="", code="yaml", detail=str(error))
        raise problem("the file can't be read", faults=(fault,), file=path.name) from error


def _refuse_depth(text: str) -> None:
    """Raise a YAMLError for what is nested too deeply: libyaml's loader would overrun the stack there."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, _OPENING) - isinstance(event, _CLOSING)
        if depth > _DEEPEST:
            raise yaml.YAMLError(f"nested more than {_DEEPEST} deep")


def parsed(shape: type[Shape], document: Any) -> tuple[Shape | None, tuple[Fault, ...]]:  # noqa: ANN401 - any YAML value
    """Return the document in its shape, or the faults that keep it from having it."""
    try:
        return shape.model_validate(document), ()
    except ValidationError as error:
        places = ((each, "".join(f"/{escaped(str(part))}" for part in each["loc"])) for each in error.errors())
        return None, tuple(Fault(pointer=place, code=each["type"], detail=each["msg"]) for each, place in places)


def load_manifest(path: Path) -> tuple[Manifest, Any]:
    """Return one manifest and the document that it was read from, or raise ManifestInvalid."""
    document = read_document(path, ManifestInvalid)
    manifest, faults = parsed(Manifest, document)
    if manifest is None or (faults := tuple(manifest_faults(manifest))):
        raise ManifestInvalid("the manifest can't be trusted", faults=faults, file=str(path))
    return manifest, document


def load_manifests(paths: Iterable[Path]) -> dict[str, tuple[Manifest, Any]]:
    """Return every manifest by its tool's name; all faults of all files are told at once."""
    loaded: dict[str, tuple[Manifest, Any]] = {}
    faults: list[Fault] = []
    for path in paths:
        name = f"{path.parent.name}/{path.name}"
        try:
            manifest, document = load_manifest(path)
        except ManifestInvalid as problem:
            faults += [each.model_copy(update={"pointer": f"{name}#{each.pointer}"}) for each in problem.faults]
            continue
        if manifest.tool in loaded:
            faults.append(Fault(pointer=f"{name}#/tool", code="twice", detail="another manifest has this tool"))
        loaded[manifest.tool] = (manifest, document)
    if faults:
        raise ManifestInvalid("some manifests can't be trusted", faults=tuple(faults))
    return loaded
