"""Cases: requests and what a policy is to say of them, run natively. The same file is held
against the component by `ringfence policy test`, which is what counts."""

import copy
import json
import re
from typing import Any, Dict, List, Optional, Type

from . import Policy
from .contract import (
    Action_Replace, Caller, Err, Finding, Judgement, Kind, Permission_Only, Permission_Within,
    Request, Role, Scope_Always, Scope_Outside, Scope_Towards, Segment, Target, Zone,
)
from .spans import utf8_length, utf8_slice, utf8_span

_REQUEST: Dict[str, Any] = {
    "model": "auto", "streamed": False, "needs": [], "input_tokens": 0, "max_output_tokens": None,
    "latency_wanted_ms": None, "budget_left": None, "previous_target": None, "caller": None,
    "now_ms": 0.0, "seed": 0, "segments": [], "findings": [], "targets": None,
    "scores": {}, "models": {},
}
_SEGMENT: Dict[str, Any] = {
    "text": None, "role": "user", "kind": "text", "path": "", "tool": None, "media_type": None,
    "readable": None,
}
_FINDING: Dict[str, Any] = {"segment": 0, "text": None, "entity": None, "score": 1.0}
_CALLER: Dict[str, Any] = {"tenant": "", "key": "", "labels": {}}
_TARGET: Dict[str, Any] = {
    "name": None, "zone": None, "region": "", "attributes": {}, "capabilities": [],
    "healthy": True, "in_flight": 0, "queued": 0, "capacity": 64, "first_token_ms": 0,
    "p50_ms": 0, "p99_ms": 0, "error_rate": 0.0, "input_price": 0.0, "output_price": 0.0,
}
_CASE: Dict[str, Any] = {"name": None, "config": {}, "grants": None, "request": {}, "expect": None}
_JUDGED: Dict[str, Any] = {"permit": "any", "prefer": [], "edits": [], "labels": [], "code": ""}
_EDIT: Dict[str, Any] = dict.fromkeys(["segment", "text", "entity", "action", "scope"])
_INSTEAD = ("refused", "error", "ungranted")
_TARGETS = [
    {"name": "local", "zone": "process"}, {"name": "premises", "zone": "premises"},
    {"name": "cloud", "zone": "cloud"},
]


def run_cases(policy: Type[Policy], text: str) -> int:
    """Runs every case of a JSON text and gives how many there are.

    Raises `AssertionError` when one does not hold, with what was said and what was
    expected, and `ValueError` when the text is no list of cases.
    """
    wrong = failures(policy, text)
    if wrong:
        raise AssertionError("\n".join([f"{len(wrong)} cases do not hold", *wrong]))
    return len(json.loads(text))


def failures(policy: Type[Policy], text: str) -> List[str]:
    """Runs every case, and gives what does not hold; empty when all do."""
    cases = json.loads(text)
    if not isinstance(cases, list) or not cases:
        raise ValueError("expected a list of cases")
    wrong = []
    for written in cases:
        case = _filled(_CASE, written, "a case")
        if case["name"] is None or case["expect"] is None:
            raise ValueError("a case has a name and expect")
        said, expected = _sorted(_say(policy, case)), _sorted(_complete(case["expect"]))
        if said != expected:
            wrong.append(f"{case['name']}:\n  said      {json.dumps(said)}\n"
                         f"  expected  {json.dumps(expected)}")
    return wrong


def _say(policy: Type[Policy], case: Dict[str, Any]) -> Dict[str, Any]:
    # A class of its own: a case starts with nothing of the one before.
    judge: Policy = type("Fresh", (policy,), {"_configured": None})()
    try:
        declared = judge.configure(json.dumps(case["config"]))
    except Err:
        return {"refused": True}

    def granted(grant: str) -> bool:
        # The scores of a classifier are covered by `model`.
        covering = "model" if grant.startswith("score:") else grant
        return case["grants"] is None or covering in case["grants"]

    missing = sorted({need for need in declared.needs if not granted(need)})
    if missing:
        return {"ungranted": missing}
    whole = _build(_filled(_REQUEST, case["request"], "a request"))
    shown = copy.deepcopy(whole)
    classifiers = [need[len("score:"):] for need in declared.needs if need.startswith("score:")]
    scored = {label.split("/", 1)[0] for label, _ in whole.scores}
    if not scored.issuperset(classifiers):
        return {"failed": "model"}
    shown.scores = [one for one in whole.scores if one[0].split("/", 1)[0] in classifiers]
    if not granted("text"):
        for segment in shown.segments:
            segment.text = None
    if not granted("findings"):
        shown.findings = None
    if not granted("caller"):
        shown.caller = None
    try:
        judged = judge.judge(shown)
    except Err:
        return {"error": True}
    wrong = _nonsense(declared.codes, declared.labels, judged, whole)
    return {"nonsense": wrong} if wrong else _raised(judged, whole)


def _nonsense(
    codes: List[str], labels: List[str], judged: Judgement, request: Request
) -> Optional[str]:
    """What the host would refuse."""
    names = list(judged.prefer)
    if isinstance(judged.permit, Permission_Only):
        names += judged.permit.value
    for edit in judged.edits:
        if isinstance(edit.scope, Scope_Towards):
            names += edit.scope.value
    known = {target.name for target in request.targets}
    if not known.issuperset(names):
        return "an unknown target"
    if not set(labels).issuperset(judged.labels):
        return "an undeclared label"
    if judged.code and judged.code not in codes:
        return "an undeclared code"
    spans = []
    for edit in judged.edits:
        try:
            text = request.segments[edit.segment].text or ""
            utf8_slice(text, edit.start, edit.end)
            if edit.start == edit.end or not re.fullmatch("[A-Z0-9_]{1,64}", edit.entity):
                raise ValueError("empty")
        except (IndexError, ValueError):
            return f"a bad span {edit.start}..{edit.end} or entity"
        spans.append((edit.segment, edit.start, edit.end))
    spans.sort()
    if any(one[0] == two[0] and one[2] > two[1] for one, two in zip(spans, spans[1:])):
        return "edits that overlap"
    return None


def _raised(judged: Judgement, request: Request) -> Dict[str, Any]:
    permit = judged.permit
    if isinstance(permit, Permission_Within):
        said: Any = permit.value.name.lower()
    elif isinstance(permit, Permission_Only):
        said = permit.value
    else:
        said = type(permit).__name__.split("_")[1].lower()
    return {
        "permit": said, "prefer": judged.prefer, "labels": judged.labels, "code": judged.code,
        "edits": [{
            "segment": edit.segment,
            "text": utf8_slice(request.segments[edit.segment].text or "", edit.start, edit.end),
            "entity": edit.entity,
            "action": {"replace": edit.action.value} if isinstance(edit.action, Action_Replace)
            else type(edit.action).__name__.split("_")[1].lower(),
            "scope": _scope(edit.scope),
        } for edit in judged.edits],
    }


def _scope(scope: Any) -> Any:
    if isinstance(scope, Scope_Always):
        return "always"
    if isinstance(scope, Scope_Outside):
        return f"outside {scope.value.name.lower()}"
    return {"towards": scope.value}


def _complete(expect: Dict[str, Any]) -> Dict[str, Any]:
    if any(member in expect for member in _INSTEAD):
        if len(expect) > 1:
            raise ValueError("refused, error and ungranted stand alone")
        return expect
    return _filled(_JUDGED, expect, "expect")


def _sorted(said: Dict[str, Any]) -> Dict[str, Any]:
    """The order of edits does not count."""
    if "edits" not in said:
        return said
    edits = [_filled(_EDIT, edit, "an edit") for edit in said["edits"]]
    return {**said, "edits": sorted(edits, key=json.dumps)}


def _filled(shape: Dict[str, Any], written: Any, what: str) -> Dict[str, Any]:
    """The members of `shape`; another member is misspelt."""
    if not isinstance(written, dict):
        raise ValueError(f"{what} is no object")
    for member in written:
        if member not in shape:
            raise ValueError(f"{what} has no member `{member}`; it has {', '.join(shape)}")
    return {**shape, **written}


def _build(asked: Dict[str, Any]) -> Request:
    segments = [_segment(piece, id) for id, piece in enumerate(asked.pop("segments"))]
    findings = [_finding(_filled(_FINDING, one, "a finding"), segments)
                for one in asked.pop("findings")]
    findings.sort(key=lambda finding: (finding.segment, finding.start))
    targets = asked.pop("targets")
    caller = asked.pop("caller")
    # Only a component can ask models.
    asked.pop("models")
    scores = sorted(asked.pop("scores").items())
    if caller is not None:
        caller = _filled(_CALLER, caller, "a caller")
        caller = Caller(**{**caller, "labels": _pairs(caller["labels"])})
    return Request(
        id="r-1", conversation="c-1", dialect="openai-chat", caller=caller, segments=segments,
        findings=findings, scores=scores,
        targets=[_target(_filled(_TARGET, one, "a target"))
                 for one in (_TARGETS if targets is None else targets)],
        **asked)


def _segment(piece: Any, id: int) -> Segment:
    if isinstance(piece, str):
        piece = {"text": piece, "path": f"/messages/{id}/content"}
    whole = _filled(_SEGMENT, piece, "a segment")
    if whole["readable"] is None:
        whole["readable"] = whole["text"] is not None
    whole["role"] = _named(Role, whole["role"])
    whole["kind"] = _named(Kind, whole["kind"])
    return Segment(id=id, turn=id, cached=False, bytes=utf8_length(whole["text"] or ""), **whole)


def _finding(written: Dict[str, Any], segments: List[Segment]) -> Finding:
    text, id = written.pop("text"), written["segment"]
    within = segments[id].text if 0 <= id < len(segments) else None
    at = (within or "").find(text)
    if within is None or at < 0:
        raise ValueError(f"segment {id} does not hold the text of a finding")
    start, end = utf8_span(within, at, at + len(text))
    return Finding(start=start, end=end, **written)


def _target(place: Dict[str, Any]) -> Target:
    place["zone"] = _named(Zone, place["zone"])
    place["attributes"] = _pairs(place["attributes"])
    return Target(context_tokens=8192, **place)


def _pairs(members: Dict[str, Any]) -> List[Any]:
    return [(name, value if isinstance(value, str) else json.dumps(value))
            for name, value in members.items()]


def _named(of: Any, name: str) -> Any:
    try:
        return of[name.upper().replace("-", "_")]
    except KeyError:
        known = ", ".join(one.name.lower().replace("_", "-") for one in of)
        raise ValueError(f"`{name}` is none of {known}") from None
