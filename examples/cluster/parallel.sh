#!/bin/bash
# One uxla command as processes of one machine, by GNU parallel, each with its share of the work:
#
#     ./parallel.sh 8 augment raw.txt --out more.tsv --model FacebookAI/xlm-roberta-base
#
# A process that needs the work of others ends with 75 and begins again after a minute.
shards=$1
shift
seq "$shards" | parallel --jobs "$shards" --halt now,fail=1 --termseq TERM,120000,KILL --line-buffer \
    "while uxla ${*@Q} --shard {}/$shards; code=\$?; [ \$code -eq 75 ]; do sleep ${SECONDS_BETWEEN:-60}; done; exit \$code"
