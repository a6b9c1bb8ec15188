#!/bin/sh
# Runs cases.json natively, with any C compiler: CC, or zig's, or the system's.
set -eu
cd "$(dirname "$0")"
if [ -n "${CC:-}" ]; then
  compiler=$CC
elif command -v zig >/dev/null; then
  compiler="zig cc"
elif [ -x .venv/bin/python ]; then
  compiler=".venv/bin/python -m ziglang cc"
else
  compiler=cc
fi
mkdir -p build
sdk=vendor/ringfence
$compiler -O1 -g -Wall -Wextra "-I$sdk" -o build/cases \
  policy.c "$sdk/ringfence.c" "$sdk/cases.c" "$sdk/asked.c" "$sdk/vendor/cJSON.c" -lm
build/cases "${1:-cases.json}"
