"""What a policy exports, and cases run natively."""

import json
import unittest

from ringfence_sdk import (
    ANY, MASK, Err, Policy, Zone, attribute, caller_label, declare, edit_of, found, has_room,
    is_within, judgement, only, only_keys, outside, segment_of,
)
from ringfence_sdk.cases import _build, _filled, _REQUEST, failures, run_cases


class Masking(Policy):
    """Masks every finding outside."""

    def setup(self, config):
        self.code = only_keys(config, "code", "needs").get("code", "masked")
        return declare(codes=["masked"], needs=config.get("needs", []))

    def decide(self, request):
        if request.caller and request.caller.tenant == "nobody":
            raise RuntimeError("nobody")
        edits = [edit_of(one, MASK, outside(Zone.PROCESS)) for one in found(request)]
        return judgement(ANY, edits=edits, code=self.code)


ANN = {"segments": ["to 😀 ann"], "findings": [{"text": "ann", "entity": "NAME"}]}
EDIT = {"segment": 0, "text": "ann", "entity": "NAME", "action": "mask",
        "scope": "outside process"}
RIGHT = {"edits": [EDIT], "code": "masked"}


def wrong(**rest):
    return failures(Masking, json.dumps([{"name": "it", "request": ANN, **rest}]))


class Cases(unittest.TestCase):
    def test_everything_that_was_said_is_compared(self):
        self.assertEqual(wrong(expect=RIGHT), [])
        for expect in [{}, {"code": "masked"}, {"edits": [EDIT]}, {**RIGHT, "permit": "nowhere"},
                       {**RIGHT, "edits": [{**EDIT, "action": "remove"}]}, {"refused": True}]:
            self.assertEqual(len(wrong(expect=expect)), 1, expect)
        self.assertEqual(wrong(config={"kode": "x"}, expect={"refused": True}), [])
        self.assertEqual(wrong(grants=["text"], expect={"error": True}), [])
        asked = {**ANN, "caller": {"tenant": "nobody"}}
        self.assertEqual(wrong(request=asked, expect={"error": True}), [])
        needs = {"needs": ["text", "findings"]}
        self.assertEqual(
            wrong(config=needs, grants=[], expect={"ungranted": ["findings", "text"]}), [])

    def test_what_the_host_would_refuse_does_not_hold(self):
        said = wrong(config={"code": "undeclared"}, expect={"edits": [EDIT], "code": "undeclared"})
        self.assertIn("undeclared code", said[0])

    def test_misspelt_members_are_refused(self):
        for rest in [
            {"expect": {"cod": ""}}, {"expect": {"error": True, "code": "x"}},
            {"expect": {}, "request": {"segments": [{"txt": "x"}]}},
            {"expect": {}, "request": {"segments": [{"text": "x", "kind": "moon"}]}},
            {"expect": {}, "request": {"segments": ["a"],
                                       "findings": [{"text": "b", "entity": "X"}]}},
            {"expect": {}, "grant": []},
        ]:
            with self.assertRaises(ValueError, msg=str(rest)):
                wrong(**rest)
        for text in ["", "{}", "[]", '[{"name": "x"}]']:
            with self.assertRaises(ValueError):
                run_cases(Masking, text)

    def test_a_case_starts_afresh(self):
        class Counting(Masking):
            def setup(self, config):
                self.calls = getattr(self, "calls", 0) + 1
                return declare(codes=["masked"])

            def decide(self, request):
                return judgement(ANY, code="" if self.calls == 1 else "masked")

        case = {"name": "it", "expect": {}}
        self.assertEqual(run_cases(Counting, json.dumps([case, case])), 2)

    def test_short_ways_to_ask(self):
        request = _build(_filled(_REQUEST, {
            "segments": ["a", "b"], "caller": {"labels": {"team": "legal"}},
            "targets": [{"name": "a", "zone": "process", "attributes": {"baa": "yes"}},
                        {"name": "b", "zone": "cloud", "capacity": 0}],
        }, "a request"))
        near = only(request, lambda one: is_within(one, Zone.PREMISES))
        self.assertEqual(near.value, ["a"])
        self.assertEqual(attribute(request.targets[0], "baa"), "yes")
        self.assertEqual([has_room(one) for one in request.targets], [True, False])
        self.assertEqual(segment_of(request, 1).text, "b")
        self.assertIsNone(segment_of(request, 7))
        self.assertEqual(caller_label(request, "team"), "legal")
        request.caller = None
        self.assertIsNone(caller_label(request, "team"))

    def test_what_is_raised_is_the_contracts_error(self):
        for config in ["{", '{"kode": 1}']:
            with self.assertRaises(Err):
                Masking().configure(config)
        with self.assertRaises(Err):
            Masking().judge(None)


if __name__ == "__main__":
    unittest.main()
