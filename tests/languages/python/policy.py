"""Data that was found stays in its region: the same policy in every language."""

import re
from typing import Any, Dict

from ringfence_sdk import (
    PSEUDONYMISE, Declaration, Edit, Judgement, Policy, Request, Zone, declare, edit_of, found,
    is_within, judgement, only, only_keys, outside, replace, towards, utf8_matches,
)


class Judge(Policy):
    def setup(self, config: Dict[str, Any]) -> Declaration:
        only_keys(config, "region", "most", "hide", "words")
        self.region = config["region"]
        self.most = config.get("most", 0)
        self.hide = config.get("hide", [])
        words = config.get("words", [])
        self.words = [re.compile(re.escape(word)) for word in words]
        needs = ["findings", "text"] if words else ["findings"]
        return declare(codes=["residency"], labels=["resident"], needs=needs)

    def decide(self, request: Request) -> Judgement:
        findings = found(request)
        edits = [edit_of(finding, PSEUDONYMISE, outside(Zone.PROCESS))
                 for finding in findings if finding.entity in self.hide]
        far = [target.name for target in request.targets if target.zone == Zone.CLOUD]
        for segment in request.segments:
            for word in self.words:
                for start, end, _ in utf8_matches(segment.text or "", word):
                    edits.append(Edit(segment=segment.id, start=start, end=end, entity="WORD",
                                      action=replace("[…]"), scope=towards(far)))
        if len(findings) <= self.most:
            return judgement(edits=edits)
        permit = only(request, lambda target: is_within(target, Zone.PROCESS)
                      or target.region == self.region)
        return judgement(permit, edits=edits, labels=["resident"], code="residency")
