#!/usr/bin/env bash
# From nothing to models/plates/*.onnx with one command.
#
# usage: models/training/make.sh --train DIR --plates DIR [--minutes 240] [--work DIR]
#   --train   folder with labels.csv, scenes, glyphs_vn_mrzaizai2k and glyphs_cn_leijd under clean licences
#   --plates  folder with labels.csv: use=train rows train the reader, use=test rows are only kept out of the drawn texts
#   --minutes wall time of each of the two trainings; they run side by side, on two cores or a GPU
#
# Needs Debian's python3-torch python3-opencv python3-numpy python3-pil python3-onnx and fonts-noto-cjk, and npm for the fonts.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
minutes=240 work=$(mktemp -d) train='' plates=''
while [ $# -gt 0 ]; do
  case $1 in
    --train) train=$2 ;; --plates) plates=$2 ;; --minutes) minutes=$2 ;; --work) work=$2 ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done
[ -d "$train" ] && [ -d "$plates" ] || { echo 'usage: make.sh --train DIR --plates DIR [--minutes N] [--work DIR]' >&2; exit 2; }
python=/usr/bin/python3
"$python" -c 'import torch, cv2, onnx, PIL' || { echo 'apt-get install python3-torch python3-opencv python3-numpy python3-pil python3-onnx fonts-noto-cjk' >&2; exit 1; }
mkdir -p "$work"
echo "working in $work"
(cd "$work" && npm install --silent --no-save --prefix "$work" @fontsource/{barlow-condensed,barlow-semi-condensed,saira-condensed,oswald,roboto-condensed,antonio,sofia-sans-condensed,pathway-gothic-one,overpass,rajdhani,archivo-narrow,gidole,saira-extra-condensed,fira-sans-condensed,ubuntu-condensed,barlow,share-tech,pt-sans-narrow,cabin-condensed,ibm-plex-sans-condensed,b612,asap-condensed,teko,khand,chakra-petch,quantico,bebas-neue,league-gothic,fjalla-one,big-shoulders-display,saira,exo-2,titillium-web,yanone-kaffeesatz,pragati-narrow,encode-sans-condensed,dosis,abel,advent-pro,anton,hind,jockey-one,armata,play,changa,kanit,strait}@5)
fonts=$work/node_modules/@fontsource
export OMP_NUM_THREADS=1
jobs=()
trap 'kill "${jobs[@]}" 2>/dev/null || true' EXIT
"$python" "$here/generate_reader.py" --pool "$work/pool-reader" --fonts "$fonts" --train "$train" --plates "$plates" --seed 1 --detector "$here/start/detector.pt" & jobs+=($!)
"$python" "$here/generate_detector.py" --pool "$work/pool-detector" --fonts "$fonts" --train "$train" --seed 2 & jobs+=($!)
"$python" "$here/train_detector.py" --pool "$work/pool-detector" --out "$work/detector.pt" --minutes "$minutes" > "$work/detector.log" & detector=$!
"$python" "$here/train_reader.py" --pool "$work/pool-reader" --out "$work/reader.pt" --minutes "$minutes" --train "$train" --plates "$plates"
wait "$detector"
"$python" "$here/export.py" --reader "$work/reader.pt" --detector "$work/detector.pt" --out "$here/../plates" \
  --reader-pool "$work/pool-reader" --detector-pool "$work/pool-detector"
