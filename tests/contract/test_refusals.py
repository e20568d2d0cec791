#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Settings that are refused, each with a sentence that says what was found and what is accepted."""
from harness import *

# (hyperparameters, words that the failure file holds)
REFUSED = (
    ({"num_round": None}, ["num_round"]),
    ({"num_round": "0"}, ["num_round", "0", "1"]),
    ({"num_round": "5.5"}, ["num_round", "5.5"]),
    ({"num_round": "1_000"}, ["num_round", "1_000"]),
    ({"max-depth": "3"}, ["max-depth", "max_depth"]),
    ({"n_estimators": "3"}, ["n_estimators"]),
    ({"eta": "1.01"}, ["eta", "1.01"]),
    ({"eta": "nan"}, ["eta", "nan"]),
    ({"eta": "inf"}, ["eta", "inf"]),
    ({"eta": "0,1"}, ["eta", "0,1"]),
    ({"eta": "fast"}, ["eta", "fast"]),
    ({"gamma": "-0.1"}, ["gamma", "-0.1"]),
    ({"max_depth": "-1"}, ["max_depth", "-1"]),
    ({"min_child_weight": "-0.1"}, ["min_child_weight"]),
    ({"subsample": "0"}, ["subsample", "0"]),
    ({"colsample_bytree": "1.5"}, ["colsample_bytree", "1.5"]),
    ({"tree_method": "gpu_hist"}, ["gpu_hist", "hist"]),
    ({"tree_method": "gpu_exact"}, ["gpu_exact"]),
    ({"device": "cuda"}, ["cuda", "cpu"]),
    ({"use_dask_gpu_training": "true"}, ["use_dask_gpu_training"]),
    ({"updater": "distcol"}, ["distcol"]),
    ({"booster": "1"}, ["booster", "gbtree"]),
    ({"booster": "gblinear", "updater": "prune", "max_depth": None}, ["prune", "coord_descent"]),
    ({"process_type": "update", "updater": "grow_colmaker"}, ["grow_colmaker", "refresh"]),
    ({"objective": "binary:logstic"}, ["binary:logstic", "binary:logistic"]),
    ({"objective": "multi:softmax"}, ["num_class"]),
    ({"objective": "multi:softprob", "num_class": "1"}, ["num_class", "1"]),
    ({"objective": "aft_loss_distribution"}, ["aft_loss_distribution"]),
    ({"eval_metric": "rmse,invalid"}, ["invalid"]),
    ({"eval_metric": "error@nonfloat"}, ["error@nonfloat"]),
    ({"eval_metric": "auc@0.5"}, ["auc@0.5"]),
    ({"eval_metric": "auc", "objective": "reg:squarederror"}, ["auc", "reg:squarederror"]),
    ({"eval_metric": "aft-nloglik"}, ["aft-nloglik", "survival:aft"]),
    ({"monotone_constraints": "(1,0,0,0)"}, ["monotone_constraints", "3", "4"]),
    ({"monotone_constraints": "__import__('os').system('x')"}, ["monotone_constraints"]),
    ({"monotone_constraints": "(2,0,0)"}, ["monotone_constraints", "2"]),
    ({"interaction_constraints": "[[0,7]]"}, ["interaction_constraints", "7"]),
    ({"interaction_constraints": "[[0,1]"}, ["interaction_constraints"]),
    ({"verbosity": "4"}, ["verbosity", "4"]),
    ({"save_model_on_termination": "maybe"}, ["save_model_on_termination", "maybe"]),
    ({"seed": "1.5"}, ["seed", "1.5"]),
    ({"early_stopping_rounds": "0"}, ["early_stopping_rounds", "0"]),
    ({"tweedie_variance_power": "2"}, ["tweedie_variance_power", "2"]),
    ({"base_score": "2"}, ["base_score", "2"]),
    ({"_kfold": "1"}, ["_kfold", "1"]),
    ({"sagemaker_program": "\"train.py\""}, ["sagemaker_program"]),
    ({"sagemaker_submit_directory": "\"s3://x\""}, ["sagemaker_submit_directory"]),
    ({"bl_explain": "tarin"}, ["bl_explain", "train"]),
    ({"bl_explain_rows": "-1"}, ["bl_explain_rows", "-1"]),
    ({"bl_header": "maybe"}, ["bl_header", "auto"]),
    ({"bl_label": "9"}, ["bl_label", "9"]),
    ({"bl_weight": "1", "csv_weights": "1", "bl_label": "1"}, ["bl_weight", "bl_label"]),
    ({"bl_weight": "2", "csv_weights": "1"}, ["bl_weight", "csv_weights"]),
    ({"bl_feature_names": "a,b"}, ["bl_feature_names", "2", "3"]),
    ({"bl_feature_names": "a,b,b"}, ["bl_feature_names", "b"]),
    ({"bl_feature_types": "q,q,x"}, ["bl_feature_types", "x"]),
    ({"bl_model_format": "json"}, ["bl_model_format", "portable"]),
    ({"bl_compress": "zip"}, ["bl_compress", "gzip"]),
    ({"bl_isolation": "strict"}, ["bl_isolation", "required"]),
    ({"bl_require_encryption": "yes"}, ["bl_require_encryption", "proven"]),
    ({"bl_label": "@nothing"}, ["@nothing"]),
    ({"eta": "0.3", "learning_rate": "0.2"}, ["eta", "learning_rate"]),
    ({"eta": True}, ["eta"]),
    ({"eta": {"a": 1}}, ["eta"]),
)


@claim
def every_wrong_setting_is_refused_by_name_with_exit_1():
    wrong = []
    for settings, words in REFUSED:
        job = small_job(**{key: value for key, value in settings.items() if value is not None})
        for key, value in settings.items():
            if value is None:
                job.hyperparameters.pop(key, None)
        job.run()
        said = job.failure
        lacking = [word for word in words if word not in said]
        if job.rc != 1 or lacking or job.exists("model/xgboost-model"):
            wrong.append(f"{settings}: exit {job.rc}, lacks {lacking}: {said.strip()[:200]}")
    check(not wrong, "%d of %d:\n# %s", len(wrong), len(REFUSED), "\n# ".join(wrong))


# Accepted where the built-in image fails or refuses, or where a note is enough.
ACCEPTED = (
    {"objective": "reg:linear"}, {"sketch_eps": "0.1"}, {"predictor": "cpu_predictor"}, {"dsplit": "row"},
    {"deterministic_histogram": "true"}, {"prob_buffer_row": "2"}, {"lambda_bias": "0.5"}, {"device": "cpu"},
    {"max_cached_hist_node": "100"}, {"seed_per_iteration": "true"}, {"single_precision_histogram": "true"},
    {"interaction_constraints": "[[0,1],[2]]"}, {"monotone_constraints": "(1,0,-1)", "tree_method": "hist"},
    {"monotone_constraints": "[1,0,-1]"}, {"eval_metric": "error@0.8"}, {"eval_metric": "ndcg@5-,map@3", "objective": "rank:pairwise",
                                                                         "bl_group": "1"},
    {"objective": None, "eval_metric": "rmse"}, {"_tuning_objective_metric": "validation:auc"},
    {"_tuning_objective_metric": ""}, {"missing": "0"}, {"num_parallel_tree": "2"}, {"grow_policy": "lossguide", "max_leaves": "4"},
    {"tree_method": "exact"}, {"tree_method": "approx"}, {"sampling_method": "gradient_based", "subsample": "0.5"},
    {"objective": "reg:quantileerror", "quantile_alpha": "0.1,0.5,0.9"}, {"objective": "reg:expectileerror", "expectile_alpha": "0.5"},
    {"objective": "reg:pseudohubererror", "huber_slope": "2"}, {"objective": "count:poisson"}, {"verbosity": "0"},
    {"objective": "binary:hinge"}, {"objective": "binary:logitraw"}, {"objective": "reg:absoluteerror"},
    {"objective": "multi:softprob", "num_class": "2", "eval_metric": "auc"}, {"max_bin": "16"}, {"booster": "dart", "rate_drop": "0.1"},
    {"booster": "gblinear"}, {"scale_pos_weight": "2"}, {"base_score": "0.5"}, {"learning_rate": "0.2"},
    {"bl_explain": "none"}, {"bl_explain_rows": "7"}, {"bl_explain_data": "no"}, {"bl_compress": "none"}, {"bl_model_format": "native"},
    {"bl_drop": "2"}, {"bl_id": "3"}, {"bl_weight": "2"}, {"bl_feature_names": "a,b,c"}, {"bl_feature_names": "[\"a\",\"b\",\"c\"]"},
    {"bl_feature_types": "q,float,q"}, {"bl_isolation": "auto"}, {"bl_isolation": "off"},
    {"bl_require_encryption": ""},
)


@claim
def every_setting_that_should_work_does():
    data = "".join(f"{i % 2},{i // 10},{i % 7},{i * i % 11}\n" for i in range(200))
    wrong = []
    for settings in ACCEPTED:
        job = small_job(data=data, validation=False, **settings)
        job.hyperparameters = {key: value for key, value in job.hyperparameters.items() if value is not None}
        job.run()
        if job.rc != 0:
            wrong.append(f"{settings}: exit {job.rc}: {job.failure.strip()[:250]}")
    check(not wrong, "%d of %d:\n# %s", len(wrong), len(ACCEPTED), "\n# ".join(wrong))


@claim
def data_that_do_not_fit_the_objective_are_refused_in_our_words():
    cases = (
        ({"objective": "binary:logistic"}, "2,1\n3,2\n", ["label", "2", "3"]),
        ({"objective": "multi:softmax", "num_class": "3"}, "1,1\n2,2\n3,3\n", ["label", "1", "3", "num_class"]),
        ({"objective": "multi:softprob", "num_class": "3"}, "0.5,1\n1,2\n", ["label", "0.5"]),
        ({"objective": "count:poisson"}, "-1,1\n2,2\n", ["label", "-1"]),
        ({"objective": "reg:gamma"}, "-1,1\n2,2\n", ["label", "-1"]),
        ({"objective": "reg:squaredlogerror"}, "-3,1\n2,2\n", ["label", "-3"]),
        ({"objective": "rank:map", "bl_group": "1"}, "2,1,5\n1,1,6\n", ["label", "2"]),
        ({"objective": "rank:ndcg", "bl_group": "1"}, "40,1,5\n1,1,6\n", ["label", "40"]),
        ({"objective": "rank:ndcg", "bl_group": "1"}, "1,a,5\n1,b,6\n1,a,7\n", ["line 3"]),
        ({"objective": "rank:ndcg"}, "1,5\n0,6\n", ["bl_group"]),
        ({"objective": "survival:aft"}, "1,5\n0,6\n", ["bl_label_lower_bound"]),
        ({"objective": "survival:aft", "bl_label_lower_bound": "0", "bl_label_upper_bound": "1"}, "1,2,5\n3,2,6\n", ["line 2"]),
        ({"objective": "reg:squarederror", "csv_weights": "1"}, "1,0,5\n2,0,6\n", ["weight"]),
    )
    wrong = []
    for settings, data, words in cases:
        job = small_job(data=data * 3 if "line" not in str(words) else data, validation=False, **settings)
        job.run()
        lacking = [word for word in words if word not in job.failure]
        if job.rc != 1 or lacking or "Check failed" in job.failure:
            wrong.append(f"{settings}: exit {job.rc}, lacks {lacking}: {job.failure.strip()[:250]}")
    check(not wrong, "%d of %d:\n# %s", len(wrong), len(cases), "\n# ".join(wrong))


raise SystemExit(main())
