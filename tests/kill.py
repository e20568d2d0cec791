#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The long proof that nothing kills a job: see tests/kill.sh."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "contract"))
import test_checkpoints as short
from resume import *

KILLS = int(os.environ.get("KILLS", "200"))
STOPS = int(os.environ.get("STOPS", "50"))
claims.clear()


@claim
def kills_at_random_instants_over_all_kinds_of_training_give_the_same_digests():
    rng = random.Random(SEED)
    hits, jobs = 0, 0
    since = time.monotonic()
    for kind in itertools.cycle(KINDS):
        if hits >= KILLS:
            break
        whole, _, seconds = short.reference(kind[0])
        got = kill_until_done(kind, rng, min(6, KILLS - hits), whole, seconds)
        hits, jobs = hits + got, jobs + 1
        print(f"# {kind[0]}: {got} kills; {hits} of {KILLS} in {jobs} jobs, {time.monotonic() - since:.0f} s", flush=True)


@claim
def stops_at_random_instants_leave_what_the_rule_says():
    short.stops(random.Random(SEED), STOPS)


print(f"TEST_SEED={SEED} KILLS={KILLS} STOPS={STOPS}", flush=True)
raise SystemExit(main())
