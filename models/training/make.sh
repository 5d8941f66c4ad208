#!/usr/bin/env bash
# From nothing to models/plates/*.onnx with one command.
#
# usage: models/training/make.sh --train DIR --plates DIR [--minutes 480] [--work DIR] [--out DIR]
#   --train   folder with labels.csv, scenes, glyphs_vn_mrzaizai2k and glyphs_cn_leijd under clean licences
#   --plates  folder with labels.csv: use=train rows train the reader, use=test rows are only kept out of the drawn texts
#   --minutes wall time of both trainings: a quarter for the detector, then the reader, which is also shown what that detector mistakes
#   --out     where the models go; models/plates when not given
#
# Needs Debian's python3-torch python3-opencv python3-numpy python3-pil python3-onnx and fonts-noto-cjk, and npm for the fonts.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
minutes=480 work=$(mktemp -d) train='' plates='' out=$here/../plates
while [ $# -gt 0 ]; do
  case $1 in
    --train) train=$2 ;; --plates) plates=$2 ;; --minutes) minutes=$2 ;; --work) work=$2 ;; --out) out=$2 ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done
[ -d "$train" ] && [ -d "$plates" ] || { echo 'usage: make.sh --train DIR --plates DIR [--minutes N] [--work DIR]' >&2; exit 2; }
python=/usr/bin/python3
"$python" -c 'import torch, cv2, onnx, PIL' || { echo 'apt-get install python3-torch python3-opencv python3-numpy python3-pil python3-onnx fonts-noto-cjk' >&2; exit 1; }
mkdir -p "$work"
echo "working in $work"
(cd "$work" && npm install --silent --no-save --prefix "$work" @fontsource/{barlow-condensed,barlow-semi-condensed,saira-condensed,oswald,roboto-condensed,antonio,sofia-sans-condensed,pathway-gothic-one,overpass,rajdhani,archivo-narrow,gidole,saira-extra-condensed,fira-sans-condensed,ubuntu-condensed,barlow,share-tech,pt-sans-narrow,cabin-condensed,ibm-plex-sans-condensed,b612,asap-condensed,teko,khand,chakra-petch,quantico,bebas-neue,league-gothic,fjalla-one,big-shoulders-display,saira,exo-2,titillium-web,yanone-kaffeesatz,pragati-narrow,encode-sans-condensed,dosis,abel,advent-pro,anton,hind,jockey-one,armata,play,changa,kanit,strait,zcool-qingke-huangyou,zcool-xiaowei,oxanium,electrolize,aldrich,tomorrow,agdasima,sofia-sans-extra-condensed,saira-semi-condensed,francois-one,voltaire,economica,homenaje,unica-one,russo-one,smooch-sans,anek-latin,signika,b612-mono,k2d,stint-ultra-condensed}@5)
fonts=$work/node_modules/@fontsource
export OMP_NUM_THREADS=1
common=(--fonts "$fonts" --train "$train" --plates "$plates")
trap 'kill "$generator" 2>/dev/null || true' EXIT

# Trains while the generator fills the pool; a generator that stops ends it all.
learn() {
  "$@" & local trainer=$! first
  wait -n -p first "$trainer" "$generator" || { echo "$first ($*, or its generator) has failed" >&2; exit 1; }
  [ "$first" = "$trainer" ] || { echo "the generator has stopped" >&2; exit 1; }
  kill "$generator"
}

"$python" "$here/generate_detector.py" --pool "$work/pool-detector" "${common[@]}" --seed 2 & generator=$!
learn "$python" "$here/train_detector.py" --pool "$work/pool-detector" --out "$work/detector.pt" --minutes $((minutes / 4))
"$python" "$here/generate_reader.py" --pool "$work/pool-reader" "${common[@]}" --seed 1 --detector "$work/detector.pt" & generator=$!
learn "$python" "$here/train_reader.py" --pool "$work/pool-reader" --out "$work/reader.pt" --minutes $((minutes * 3 / 4)) --train "$train" --plates "$plates"
"$python" "$here/mean.py" "$work/mean.pt" "$work/reader.pt.half=0.35" "$work/reader.pt=0.65"
"$python" "$here/export.py" --reader "$work/mean.pt" --detector "$work/detector.pt" --out "$out" --reader-pool "$work/pool-reader" --detector-pool "$work/pool-detector"
