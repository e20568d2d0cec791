#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The slow proof that a job survives anything, by hand: 200 kill -9 at random instants over every kind of
# training, each job started again until it is done (SHA-256 of every output equal to the job's that was never
# killed), and 50 SIGTERMs over all stages. About 15 minutes on two busy cores. The short form is
# tests/contract/test_checkpoints.py, in every run of tests/run.sh.
#
#   TEST_SEED=n     another sequence (printed); default 1
#   KILLS, STOPS    how many; default 200 and 50
#   KILL_ROWS       rows of the training data, which make the jobs longer; default 30000
#   BOOSTLENS       the program; default build/container/boostlens
set -eu
cd "$(dirname -- "$0")/.."
export GOMP_SPINCOUNT=20000 KILL_ROWS="${KILL_ROWS:-30000}"
exec python3 tests/kill.py "$@"
