"""Requests with more than so many e-mail addresses stay on the premises."""

from typing import Any, Dict

from ringfence_sdk import (
    ANY, Declaration, Judgement, Policy, Request, Zone, declare, found, judgement, only_keys,
    within,
)


class Judge(Policy):
    most = 3

    def setup(self, config: Dict[str, Any]) -> Declaration:
        self.most = only_keys(config, "most").get("most", self.most)
        if type(self.most) is not int:
            raise ValueError("`most` is no number")
        return declare(codes=["too_many_addresses"], needs=["findings"])

    def decide(self, request: Request) -> Judgement:
        addresses = [finding for finding in found(request) if finding.entity == "EMAIL"]
        if len(addresses) <= self.most:
            return judgement(ANY)
        return judgement(within(Zone.PREMISES), code="too_many_addresses")
