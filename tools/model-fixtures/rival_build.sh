#!/bin/bash
# Builds what `npm run bench -- asr --rivals DIRECTORY` compares with: whisper.cpp (sources from npm) in three builds, faster-whisper
# (PyPI), and one model for all of them, with the weights of MODEL (made by make_benchmark_whisper.py).
#   tools/model-fixtures/rival_build.sh DIRECTORY MODEL
# Wants cmake, g++, npm, and on Debian python3-torch; takes six to ten minutes. Nothing is written outside DIRECTORY.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
DIRECTORY=$(cd "$1" && pwd)
MODEL=$2
SOURCES=$DIRECTORY/npm/package/cpp/whisper.cpp
NATIVE='-O3 -march=native'

fetch_sources() {
  mkdir -p "$DIRECTORY/npm"
  # A command line tool for node that carries all of whisper.cpp's sources, as they are.
  (cd "$DIRECTORY/npm" && npm pack --silent nodejs-whisper@0.3.1 >/dev/null && tar xzf nodejs-whisper-0.3.1.tgz)
  sed -n 's/^project("whisper.cpp" VERSION \(.*\))/whisper.cpp \1/p' "$SOURCES/CMakeLists.txt" >"$DIRECTORY/whisper.cpp.version"
}

# Without becoming root: the packages are unpacked, not installed.
fetch_openblas() {
  mkdir -p "$DIRECTORY/debs"
  (cd "$DIRECTORY/debs" && apt-get -qq download libopenblas-openmp-dev libopenblas0-openmp libgfortran5 libquadmath0 2>/dev/null)
  for package in "$DIRECTORY"/debs/*.deb; do dpkg -x "$package" "$DIRECTORY/openblas"; done
}

# build NAME CMAKE_OPTION...: the library, and our program against it. What the compilers say is in build/NAME.log.
build() {
  local folder=$DIRECTORY/build/$1
  mkdir -p "$DIRECTORY/build"
  cmake -S "$SOURCES" -B "$folder" -DWHISPER_BUILD_TESTS=OFF -DWHISPER_BUILD_SERVER=OFF "${@:2}" >"$folder.log" 2>&1
  nice -n 19 cmake --build "$folder" -j "${JOBS:-1}" --target whisper whisper-quantize >>"$folder.log" 2>&1
  local libraries=$folder/bin:$OPENBLAS:$DIRECTORY/openblas/usr/lib/$ARCHITECTURE
  g++ -O2 -std=c++17 -I "$SOURCES/include" -I "$SOURCES/ggml/include" "$HERE/rival_whisper_cpp.cpp" -o "$folder/rival" \
    -L "$folder/bin" -lwhisper -Wl,-rpath,"$libraries",-rpath-link,"$libraries",--disable-new-dtags
  echo "${*:2}" >"$folder/flags"
  [ $# -gt 1 ] || echo 'cmake without options (Release, GGML_NATIVE, OpenMP)' >"$folder/flags"
}

ARCHITECTURE=$(gcc -print-multiarch)
OPENBLAS=$DIRECTORY/openblas/usr/lib/$ARCHITECTURE/openblas-openmp
BEST=(-DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DGGML_LLAMAFILE=ON -DGGML_LTO=ON "-DCMAKE_C_FLAGS=$NATIVE" "-DCMAKE_CXX_FLAGS=$NATIVE")
fetch_sources
build default
build best "${BEST[@]}"
if fetch_openblas; then
  build openblas "${BEST[@]}" -DGGML_BLAS=ON -DGGML_BLAS_VENDOR=OpenBLAS "-DBLAS_LIBRARIES=$OPENBLAS/libopenblas.so" \
    "-DBLAS_INCLUDE_DIRS=$DIRECTORY/openblas/usr/include/$ARCHITECTURE/openblas-openmp"
fi

/usr/bin/python3 -m venv --system-site-packages "$DIRECTORY/venv"
"$DIRECTORY/venv/bin/pip" install --quiet faster-whisper==1.2.1 ctranslate2==4.8.5 transformers==4.44.2
# PyPI's own, which brings OpenBLAS: Debian's numpy would slow faster-whisper's features down.
"$DIRECTORY/venv/bin/pip" install --quiet --ignore-installed --no-deps numpy==1.26.4
"$DIRECTORY/venv/bin/python" "$HERE/make_rival_models.py" "$MODEL" "$DIRECTORY"
