#!/bin/sh
# A small multilingual encoder from raw text: sh make.sh OUT FILE…, one file a language, a sentence a line.
# Sizes are variables: PIECES=30000 HIDDEN=256 LAYERS=6 HEADS=4 STEPS=100000 sh make.sh …
set -eu

here=$(dirname "$0")
out=$1
shift

python "$here/balance.py" "$out-text" "$@"

uxla mlm pretrain "$out"-text/* --out "$out" \
    --pieces "${PIECES:-12000}" --hidden "${HIDDEN:-128}" --layers "${LAYERS:-4}" --heads "${HEADS:-4}" \
    --max-length "${LENGTH:-128}" --masked "${MASKED:-0.15}" \
    --max-steps "${STEPS:-20000}" --batch-size "${BATCH:-64}" --learning-rate "${RATE:-1e-3}"
