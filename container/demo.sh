#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From a bare machine to a trained model and exact SHAP values, in one command:
#
#   sh container/demo.sh [FOLDER]        default: build/demo; the folder is made anew
#
# Installs what is missing (container/deps.sh), builds boostlens in build/, lays out a SageMaker
# training job on the small data set of data/credit, runs it, and shows what came out.
# BOOSTLENS_BUILT names a program that is already built: nothing is installed or built then.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
build=$here/build
job=${1:-$build/demo}
case $job in /*) ;; *) job=$PWD/$job ;; esac
started=$(date +%s)

say() { printf '\n== %s\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# --- 1. dependencies and build ----------------------------------------------------------------

say "1. Dependencies and build"
boostlens=${BOOSTLENS_BUILT:-$build/container/boostlens}
if [ -z "${BOOSTLENS_BUILT:-}" ]; then
    sh container/deps.sh build
    mkdir -p "$build"
    if [ ! -e "$build/build.ninja" ]; then
        meson setup "$build" -Dtests=false >"$build/demo-setup.log" 2>&1 || {
            cat "$build/demo-setup.log"
            die "meson setup failed; its words are above"
        }
    fi
    ninja -C "$build" container/boostlens >"$build/demo-build.log" 2>&1 || {
        tail -n 40 "$build/demo-build.log"
        die "the build failed; all of it is in $build/demo-build.log"
    }
fi
"$boostlens" --version
printf 'ready after %s s\n' "$(($(date +%s) - started))"

# --- 2. the job folder, as SageMaker lays it out under /opt/ml ----------------------------------

say "2. A training job in $job"
if [ -e "$job" ] && [ ! -e "$job/.boostlens-demo" ]; then
    die "$job exists and is not a folder of this demo: name another one, or remove it"
fi
rm -rf "$job"
mkdir -p "$job/input/config" "$job/input/data/train" "$job/input/data/validation"
: >"$job/.boostlens-demo"
cp data/credit/train.csv "$job/input/data/train/"
cp data/credit/validation.csv "$job/input/data/validation/"

cat >"$job/input/config/hyperparameters.json" <<'JSON'
{
  "objective": "binary:logistic",
  "num_round": "100",
  "max_depth": "5",
  "eta": "0.2",
  "gamma": "4",
  "min_child_weight": "6",
  "eval_metric": "logloss,auc"
}
JSON
cat >"$job/input/config/inputdataconfig.json" <<'JSON'
{
  "train": {"ContentType": "text/csv", "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"},
  "validation": {"ContentType": "text/csv", "TrainingInputMode": "File",
                 "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
}
JSON
cat >"$job/input/config/resourceconfig.json" <<'JSON'
{"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"}
JSON
cat "$job/input/config/hyperparameters.json"

# --- 3. train and explain ---------------------------------------------------------------------------

say "3. boostlens train --root $job"
"$boostlens" train --root "$job" >"$job/metric-lines.txt" ||
    die "training ended with exit code $?; the reason is in $job/output/failure"
printf '\nmetric lines, first and last of %s:\n' "$(wc -l <"$job/metric-lines.txt")"
sed -n '1p;$p' "$job/metric-lines.txt"

# --- 4. what came out ---------------------------------------------------------------------------------

# One line a number or text of a JSON file: path.to.it<TAB>value.
flatten() {
    awk '
    { text = text $0 "\n" }
    END {
        depth = 0; key = ""; n = length(text)
        for (i = 1; i <= n; i++) {
            c = substr(text, i, 1)
            if (c == "{" || c == "[") {
                depth++
                path[depth] = (depth > 1 && path[depth - 1] != "" ? path[depth - 1] "." : "") key
                list[depth] = c == "["; index_[depth] = 0
                key = list[depth] ? "0" : ""
            } else if (c == "}" || c == "]") {
                depth--
                key = depth && list[depth] ? index_[depth] "" : ""
            } else if (c == ",") {
                if (list[depth]) key = ++index_[depth] ""
            } else if (c == "\"") {
                word = ""
                for (i++; i <= n && (c = substr(text, i, 1)) != "\""; i++) {
                    if (c == "\\") { i++; c = substr(text, i, 1) }
                    word = word c
                }
                rest = substr(text, i + 1, 8); sub(/^[ \t\n]*/, "", rest)
                if (substr(rest, 1, 1) == ":") key = word
                else leaf(word)
            } else if (c ~ /[-0-9tfn]/) {
                match(substr(text, i), /^[-+.0-9a-zA-Z]+/)
                leaf(substr(text, i, RLENGTH)); i += RLENGTH - 1
            }
        }
    }
    function leaf(value) {
        print (path[depth] != "" ? path[depth] "." : "") key "\t" value
    }' "$1"
}

say "4. Metrics on the validation rows (output/data/metrics.json)"
flatten "$job/output/data/metrics.json" | awk -F'\t' '
    /^final\.validation\./ {
        name = $1; sub(/^final\.validation\./, "", name)
        if (name !~ /\.|weight_sum|threshold/ && $2 ~ /^-?[0-9]/) { printf "  %-20s %.6g\n", name, $2; n++ }
    }
    END { if (!n) exit 1 }' || die "no metrics of the validation rows in metrics.json"

say "5. What drives the predictions: mean |SHAP|, in log-odds (output/data/importance.csv)"
awk -F, '
    NR == 1 {
        for (i = 1; i <= NF; i++) col[$i] = i
        next
    }
    $col["view"] == "source" && n < 10 {
        n++; name[n] = $col["feature"]; value[n] = $col["mean_abs_shap"]
    }
    END {
        if (!n) exit 1
        for (i = 1; i <= n; i++) {
            bar = ""
            for (k = 0; k < 48 * value[i] / value[1] - .5; k++) bar = bar "#"
            printf "  %-12s %.4f %s\n", name[i], value[i], bar
        }
    }' "$job/output/data/importance.csv" || die "no rows in importance.csv"

say "6. Files, all under $job"
(cd "$job" && find model output -type f | LC_ALL=C sort | while IFS= read -r file; do
    printf '  %10s bytes  %s\n' "$(wc -c <"$file")" "$file"
done)
cat <<TEXT

attributions.h5 holds an exact SHAP value for every training row and feature; it opens with h5py.
xgboost-model loads in XGBoost and in SageMaker's hosting images. Done in $(($(date +%s) - started)) s.
TEXT
