"""The cases, natively: `ringfence policy build` holds them against the component as well."""

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "src"), str(HERE / "vendor")]

from policy import Judge  # noqa: E402
from ringfence_sdk.cases import run_cases  # noqa: E402


class Cases(unittest.TestCase):
    def test_the_cases_hold(self):
        run_cases(Judge, (HERE / "cases.json").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
