"""Time bootMer of mixedlm: run as ``python inference_with_mixedlm.py JOB CSV FORMULA``.

One line of JSON: seconds for 1,000 replicates, after 1,000 others.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import time

from exit_status import NOT_INSTALLED

REPLICATES = 1000


def main() -> None:
    """Print the time."""
    if importlib.util.find_spec("mixedlm") is None:
        sys.exit(NOT_INSTALLED)
    job, path, formula = sys.argv[1:]
    mixedlm = importlib.import_module("mixedlm")
    frame = importlib.import_module("pandas").read_csv(path, dtype={"Subject": str})
    model = mixedlm.lmer(formula, frame)
    mixedlm.bootMer(model, nsim=REPLICATES, seed=0)
    start = time.perf_counter()
    mixedlm.bootMer(model, nsim=REPLICATES, seed=1)
    print(json.dumps({job: time.perf_counter() - start}))


if __name__ == "__main__":
    main()
