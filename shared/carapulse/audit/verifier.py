"""Verify a bundle of evidence without the program that made it: this file and Python 3.11 are all that is needed.

    python verifier.py FILE --key KEY [--witness NOTE] [--json]

KEY is the installation's verifier key (`name+hash+base64`) or a file that holds it, and below it those that it had
before, one a line, the newest first. NOTE is a file with a checkpoint that was kept elsewhere: the bundle must contain
exactly that one.

Exit codes: 0 everything holds; 1 something is wrong, and each fault says what and at which event; 2 it can't be tried
(a file can't be read or is too large, or the key is not a key).

Formats: DSSE 1.0 around an in-toto Statement v1; C2SP signed notes; RFC 6962 Merkle trees; RFC 8032 Ed25519
and Ed25519ph.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

MAX_BYTES = 64 * 1024 * 1024
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://carapulse.dev/change/v1"
_EVENT_ROW = {"event": str, "hash": str, "checkpoint": int, "leaf": int, "proof": [str]}
_PREDICATE = {"plan_id": str, "tenant": str, "count": int, "head": str, "events": [_EVENT_ROW], "checkpoints": [str]}
_SUBJECT = {"name": str, "digest": {"sha256": str}}
_STATEMENT = {"_type": str, "subject": [_SUBJECT], "predicateType": str, "predicate": _PREDICATE}
_ENVELOPE = {"payload": str, "payloadType": str, "signatures": [{"keyid": str, "sig": str}]}
_EVENT = dict.fromkeys(("tenant", "stream", "id", "type", "at", "actor", "trace", "prev"), str) | {
    "seq": int,
    "body": dict,
}

_CHECKPOINT = re.compile(
    r"(?P<origin>[^\n]+)\n(?P<size>[1-9][0-9]{0,14})\n(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"number (?P<number>[1-9][0-9]{0,14})\nprevious (?P<previous>none|sha256:[0-9a-f]{64})\n"
    r"time (?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z)\n"
)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: why, in words, and at which event (place from 0, id) or checkpoint (number)."""

    reason: str
    detail: str
    index: int | None = None
    id: str | None = None
    checkpoint: int | None = None


@dataclass(frozen=True)
class Report:
    """What a bundle claims to be, and everything that is wrong with it."""

    faults: tuple[Fault, ...]
    plan_id: str | None = None
    tenant: str | None = None
    digest: str | None = None
    count: int | None = None
    head: str | None = None
    checkpoints: tuple[int, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


class UnusableError(Exception):
    """Verification can't be tried."""


class MalformedError(Exception):
    """A value is not shaped as it must be; `path` leads to it."""

    def __init__(self, detail: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.path = path


@dataclass(frozen=True)
class Key:
    """A C2SP verifier key: a name and an Ed25519 public key."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that tell keys of one name apart."""
        return hashlib.sha256(self.name.encode() + b"\n\x01" + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([1]) + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> "Key":
        """Read `name+hash+base64`, or raise UnusableError."""
        try:
            name, _, encoded = text.strip().split("+", 2)
            key = cls(name, _unbase64(encoded)[1:])
            spelled = str(key)
        except (ValueError, MalformedError):
            raise UnusableError("the key is not of the form name+hash+base64") from None
        if not name or any(map(str.isspace, name)) or spelled != text.strip() or _decode_point(key.public) is None:
            raise UnusableError("the key's hash does not match it, or it is not an Ed25519 key")
        return key


def _parse_keys(text: str) -> list[Key]:
    """Return the keys of a log, the newest first, or raise UnusableError."""
    keys = [Key.parse(line) for line in text.strip().splitlines()] or [Key.parse(text)]
    if len({key.name for key in keys}) != len(keys):
        raise UnusableError("two keys have one name")
    return keys


def verify(bundle: bytes, key_text: str, witness: str | None = None) -> Report:
    """Return what is wrong with a bundle; raises UnusableError only for keys, one a line, that are none."""
    keys = _parse_keys(key_text)
    faults: list[Fault] = []
    try:
        statement = _open_envelope(bundle, keys[0], faults)
        _check_shape(statement, _STATEMENT)
    except MalformedError as error:
        place = next((part for part in error.path if type(part) is int and "events" in error.path), None)
        where = "/".join(map(str, error.path)) or "the bundle"
        return Report((*faults, Fault("format", f"{where}: {error.detail}", index=place)))
    predicate = statement["predicate"]
    notes, note_faults = _open_checkpoints(predicate["checkpoints"], keys)
    faults += [*note_faults, *_check_statement(statement), *_check_events(predicate, notes)]
    if witness is not None:
        faults += _check_witness(witness, notes, keys)
    claims = {name: predicate[name] for name in ("plan_id", "tenant", "count", "head")}
    digest = next((subject["digest"]["sha256"] for subject in statement["subject"]), None)
    return Report(tuple(faults), digest=digest, checkpoints=tuple(notes), **claims)


def _open_envelope(bundle: bytes, key: Key, faults: list[Fault]) -> Any:  # noqa: ANN401 - any JSON value
    """Return what a DSSE envelope holds, and add what is wrong with its signature to the faults."""
    if len(bundle) > MAX_BYTES:
        raise MalformedError(f"larger than {MAX_BYTES} bytes")
    envelope = _parse(bundle)
    _check_shape(envelope, _ENVELOPE)
    if json.dumps(envelope, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() != bundle:
        raise MalformedError("not in canonical form")
    kind, payload, signatures = envelope["payloadType"], _unbase64(envelope["payload"]), envelope["signatures"]
    signed = b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)
    keyid = f"{key.name}+{key.id.hex()}"
    if kind != PAYLOAD_TYPE:
        faults.append(Fault("format", f"the payload is {kind!r}, not {PAYLOAD_TYPE}"))
    if [one["keyid"] for one in signatures] != [keyid]:
        faults.append(Fault("signature", f"the bundle is not signed once, by {keyid}"))
    elif not any(
        holds(key.public, signed, _unbase64(signatures[0]["sig"])) for holds in (verify_signature, verify_prehashed)
    ):
        faults.append(Fault("signature", f"the bundle was changed after {keyid} signed it, or another key signed it"))
    return _parse(payload)


def _check_statement(statement: Mapping[str, Any]) -> Iterator[Fault]:
    predicate = statement["predicate"]
    if (statement["_type"], statement["predicateType"]) != (STATEMENT_TYPE, PREDICATE_TYPE):
        yield Fault("format", f"the statement is not a {PREDICATE_TYPE}")
    if [subject["name"] for subject in statement["subject"]] != [predicate["plan_id"]]:
        yield Fault("changed", "the subject is not the plan")
    digest = plan_digest(event for row in predicate["events"] if (event := _read_event(row)))
    if [subject["digest"]["sha256"] for subject in statement["subject"]] != [digest]:
        yield Fault("changed", "the digest is not the one that the plan's last event names")


def plan_digest(events: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the plan's digest (hex) as the last event about the plan itself names it."""
    digests = [event["body"].get("digest") for event in events if event["type"].startswith("Plan")]
    named = [digest for digest in digests if isinstance(digest, str) and digest.startswith("sha256:")]
    return named[-1].removeprefix("sha256:") if named else None


def _check_events(predicate: Mapping[str, Any], notes: Mapping[int, Mapping[str, Any]]) -> list[Fault]:
    """Check each event alone, then the numbers of all, then that each names the hash of the one before it."""
    rows = predicate["events"]
    events = [_read_event(row) for row in rows]
    found = {
        place: fault
        for place in range(len(rows))
        if (fault := _check_event(rows[place], events[place], predicate, notes))
    }
    numbers = [event["seq"] if event and _known(found.get(place)) else None for place, event in enumerate(events)]
    of_numbers, places = check_numbers(numbers, predicate["count"], frozenset(found))
    for number, place in places.items():
        event, before = events[place], places.get(number - 1)
        expected = "" if before is None else rows[before]["hash"]
        if event and event["prev"] != expected and (number == 1 or (before is not None and before not in found)):
            found.setdefault(place, ("unlinked", "it does not name the hash of the event before it"))
    last = places.get(predicate["count"])
    if last is not None and last not in found and rows[last]["hash"] != predicate["head"]:
        of_numbers.append((last, "changed", "the bundle's head is not the hash of the last event"))
    wrong = sorted(of_numbers + [(place, *fault) for place, fault in found.items()])
    ids = [event["id"] if event else None for event in events] + [None]
    return [
        Fault(reason, detail, index=place, id=None if reason == "missing" else ids[place])
        for place, reason, detail in wrong
    ]


def _known(fault: tuple[str, str] | None) -> bool:
    return fault is None or fault[0] == "proof"


def _check_event(
    row: Mapping[str, Any],
    event: Mapping[str, Any] | None,
    predicate: Mapping[str, Any],
    notes: Mapping[int, Mapping[str, Any]],
) -> tuple[str, str] | None:
    if event is None or "sha256:" + hashlib.sha256(row["event"].encode()).hexdigest() != row["hash"]:
        return "changed", "it does not match its hash, or is not an event"
    if (event["tenant"], event["stream"]) != (predicate["tenant"], predicate["plan_id"]):
        return "added", "it belongs to another plan"
    note = notes.get(row["checkpoint"])
    if note is None:
        return "proof", f"the bundle has no valid checkpoint {row['checkpoint']}"
    try:
        path = [_unbase64(node) for node in row["proof"]]
    except MalformedError as error:
        return "proof", error.detail
    if not includes(bytes.fromhex(row["hash"][7:]), row["leaf"], note["size"], path, note["root"]):
        return "proof", f"checkpoint {row['checkpoint']} does not include it"
    return None


def check_numbers(
    numbers: Sequence[int | None], count: int, suspects: frozenset[int] = frozenset()
) -> tuple[list[tuple[int, str, str]], dict[int, int]]:
    """Compare numbers with 1…count: return (place, reason, detail) of each fault, and the place of each number found.

    None is a number that can't be believed: its place is believed instead. Of two with one number, a suspect is added.
    """
    found: list[tuple[int, str, str]] = []
    places: dict[int, int] = {}
    for place in sorted(range(len(numbers)), key=lambda place: (numbers[place] is None, place in suspects, place)):
        number = numbers[place]
        if number is None and place + 1 in places:
            continue
        number = place + 1 if number is None else number
        if number in places or not 1 <= number <= count:
            found.append((place, "added", f"number {number} is there already or beyond the count of {count}"))
        else:
            places[number] = place
    for expected, place in zip(sorted(places), sorted(places.values()), strict=True):
        if places[expected] != place:
            found.append((place, "reordered", f"number {expected} belongs here"))
    for before, after in pairwise([0, *sorted(places), count + 1]):
        if after - before > 1:
            gone = f"{before + 1}" if after - before == 2 else f"{before + 1} to {after - 1}"  # noqa: PLR2004 - one between
            found.append((places.get(after, len(numbers)), "missing", f"number {gone} is missing before this place"))
    return found, places


def _read_event(row: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        event = _parse(row["event"].encode())
        _check_shape(event, _EVENT)
    except (MalformedError, UnicodeEncodeError):
        return None
    return dict(event)


def _open_checkpoints(texts: Sequence[str], keys: Sequence[Key]) -> tuple[dict[int, dict[str, Any]], list[Fault]]:
    """Return the checkpoints that hold by number, and faults of those that don't or don't follow the one before.

    A key that a newer one has followed signs no more: whoever has it since can add nothing.
    """
    notes: dict[int, dict[str, Any]] = {}
    faults = []
    previous: dict[str, Any] = {}
    for place, text in enumerate(texts):
        try:
            note = _open_by_any(text, keys)
            keys = keys[: keys.index(note["key"]) + 1]
        except MalformedError as error:
            number = previous["number"] + 1 if previous else None
            faults.append(Fault("checkpoint", f"the checkpoint at place {place}: {error.detail}", checkpoint=number))
            previous = {}
            continue
        if previous and (note["number"], note["previous"]) != (previous["number"] + 1, previous["hash"]):
            detail = f"it is not the one that follows checkpoint {previous['number']}"
            faults.append(Fault("checkpoint", detail, checkpoint=note["number"]))
        notes[note["number"]] = previous = note
    return notes, faults


def _open_by_any(text: str, keys: Sequence[Key]) -> dict[str, Any]:
    """Open a checkpoint with the key that its first line names, or raise MalformedError."""
    named = [key for key in keys if text.startswith(f"{key.name}\n")]
    key = named[0] if named else keys[0]
    return open_checkpoint(text, key) | {"key": key}


def open_checkpoint(text: str, key: Key) -> dict[str, Any]:
    """Return number, size, root, previous, hash and text of a signed checkpoint, or raise MalformedError."""
    body, blank, signatures = text.rpartition("\n\n")
    wanted = f"\u2014 {key.name} "
    signed = [line.removeprefix(wanted) for line in signatures.split("\n") if line.startswith(wanted)]
    packed = [_unbase64(line) for line in signed]
    own = [one[4:] for one in packed if one[:4] == key.id]
    body += "\n"
    if (
        not blank
        or not signatures.endswith("\n")
        or len(own) != 1
        or not verify_signature(key.public, body.encode(), own[0])
    ):
        raise MalformedError(f"not signed by {key}")
    match = _CHECKPOINT.fullmatch(body)
    if match is None or match["origin"] != key.name or (match["number"] == "1") != (match["previous"] == "none"):
        raise MalformedError("signed, but not a checkpoint of this log")
    number, size, digest = int(match["number"]), int(match["size"]), hashlib.sha256(body.encode()).hexdigest()
    return {
        "number": number,
        "size": size,
        "root": _unbase64(match["root"]),
        "previous": match["previous"],
        "hash": "sha256:" + digest,
        "text": text,
    }


def _check_witness(text: str, notes: Mapping[int, Mapping[str, Any]], keys: Sequence[Key]) -> Iterator[Fault]:
    try:
        kept = _open_by_any(text, keys)
    except MalformedError as error:
        yield Fault("witness", f"the checkpoint that was kept elsewhere: {error.detail}")
        return
    note = notes.get(kept["number"])
    if note is None or note["hash"] != kept["hash"]:
        detail = "differs from" if note else "is not among"
        yield Fault(
            "witness", f"the checkpoint that was kept elsewhere {detail} the bundle's", checkpoint=kept["number"]
        )


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Check an inclusion proof as RFC 9162 section 2.1.3.2 does; `leaf` is the leaf's data, not its hash."""
    if not 0 <= index < size:
        return False
    node, last = hashlib.sha256(b"\x00" + leaf).digest(), size - 1
    for other in proof:
        if last == 0:
            return False
        if index % 2 or index == last:
            node = hashlib.sha256(b"\x01" + other + node).digest()
            while index % 2 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + other).digest()
        index, last = index >> 1, last >> 1
    return last == 0 and node == root


_P, _L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_Point = tuple[int, int, int, int]
_BASE_Y = 4 * pow(5, -1, _P) % _P


def verify_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """Check an Ed25519 signature as RFC 8032 section 5.1.7 does, without the cofactor."""
    return _signed(public, message, signature)


def verify_prehashed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Check an Ed25519ph signature (the same section, without a context): how key services sign what is long."""
    return _signed(public, hashlib.sha512(message).digest(), signature, b"SigEd25519 no Ed25519 collisions\x01\x00")


def _signed(public: bytes, message: bytes, signature: bytes, domain: bytes = b"") -> bool:
    key = _decode_point(public)
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or len(signature) != 64 or scalar >= _L:  # noqa: PLR2004 - bytes in a signature
        return False
    hashed = int.from_bytes(hashlib.sha512(domain + signature[:32] + public + message).digest(), "little") % _L
    minus = (_P - key[0], key[1], key[2], _P - key[3])
    both = _add(_BASE, minus)
    total: _Point = (0, 1, 1, 0)
    for bit in range(252, -1, -1):
        total = _add(total, total)
        chosen = (scalar >> bit & 1) + 2 * (hashed >> bit & 1)
        if chosen:
            total = _add(total, (_BASE, minus, both)[chosen - 1])
    inverse = pow(total[2], -1, _P)
    x, y = total[0] * inverse % _P, total[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


def _add(one: _Point, two: _Point) -> _Point:
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % _P, (one[1] + one[0]) * (two[1] + two[0]) % _P
    c, d = 2 * one[3] * two[3] * _D % _P, 2 * one[2] * two[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _decode_point(encoded: bytes) -> _Point | None:
    number = int.from_bytes(encoded, "little")
    y, odd = number & ((1 << 255) - 1), number >> 255
    if len(encoded) != 32 or y >= _P:  # noqa: PLR2004 - bytes in a point
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if x * x % _P != square or (x == 0 and odd):
        return None
    x = x if x & 1 == odd else _P - x
    return x, y, 1, x * y % _P


_BASE = _decode_point(_BASE_Y.to_bytes(32, "little")) or (0, 1, 1, 0)


def _unbase64(text: str) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except ValueError:
        raise MalformedError("not base64") from None
    if base64.b64encode(value).decode() != text:
        raise MalformedError("not canonical base64")
    return value


def _parse(text: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Read one strict JSON value: no duplicate names, nothing after it, no NaN."""
    try:
        value = json.loads(text.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode()  # refuses half a surrogate pair
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"not JSON: {error}") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return dict(pairs)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check_shape(value: object, shape: object, path: tuple[str | int, ...] = ()) -> None:
    """Raise MalformedError unless a value has exactly the names and types of a shape."""
    if isinstance(shape, dict):
        if not isinstance(value, dict) or value.keys() != shape.keys():
            raise MalformedError(f"must have exactly {', '.join(shape)}", path)
        for name in shape:
            _check_shape(value[name], shape[name], (*path, name))
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise MalformedError("must be a list", path)
        for place, item in enumerate(value):
            _check_shape(item, shape[0], (*path, place))
    elif type(value) is not shape:
        raise MalformedError(f"must be {getattr(shape, '__name__', shape)}", path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify a file and say what was found; return the exit code."""
    parser = argparse.ArgumentParser(description="Verify a bundle of evidence, with no database and no network.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", required=True, help="the verifier key, or a file that holds it and those before")
    parser.add_argument("--witness", type=Path, help="a file with a checkpoint that was kept elsewhere")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    given = parser.parse_args(arguments)
    try:
        key = given.key if given.key.count("+") > 1 else _read(Path(given.key)).decode()
        report = verify(_read(given.file), key, _read(given.witness).decode() if given.witness else None)
    except (OSError, ValueError, UnusableError) as error:
        sys.stderr.write(f"can't verify: {error}\n")
        return 2
    sys.stdout.write(json.dumps(asdict(report) | {"ok": report.ok}) + "\n" if given.json else describe(report))
    return 0 if report.ok else 1


def describe(report: Report) -> str:
    """Return what was found, a line each."""
    if not report.ok:
        return "".join(_line(fault) + "\n" for fault in report.faults)
    first, last = report.checkpoints[0], report.checkpoints[-1]
    return (
        f"OK: plan {report.plan_id} of {report.tenant}: {report.count} events, whole and in order\n"
        f"plan sha256:{report.digest}, head {report.head}, checkpoints {first} to {last}\n"
    )


def _line(fault: Fault) -> str:
    where = f" at event {fault.index + 1} ({fault.id or 'no id'})" if fault.index is not None else ""
    where += f" at checkpoint {fault.checkpoint}" if fault.checkpoint is not None else ""
    return f"WRONG: {fault.reason}{where}: {fault.detail}"


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise UnusableError(f"{path} is larger than {MAX_BYTES} bytes")
    return content


if __name__ == "__main__":
    sys.exit(main())
