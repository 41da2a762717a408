#!/bin/sh
# Sets a gateway up: `atlas init` with Node and the packages it needs. Every option is passed on; --help lists them.
set -eu
cd "$(dirname "$0")"

say() {
  echo "$1" >&2
  exit 1
}
command -v node >/dev/null || say "Node is not here. Install Node 20 or newer from https://nodejs.org, then run this again."
command -v npm >/dev/null || say "npm is not here. Install it together with Node from https://nodejs.org, then run this again."
[ "$(node -p 'Number(process.versions.node.split(".")[0]) >= 20')" = true ] ||
  say "This is Node $(node --version). Install Node 20 or newer from https://nodejs.org, then run this again."

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-audit --no-fund
fi
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
exec node bin/atlas.js init "$@"
