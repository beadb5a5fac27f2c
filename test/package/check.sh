#!/usr/bin/env bash
# Packs the package, if need be, installs it in an empty folder as a stranger would, imports, requires, compiles against, runs it, and serves a shop.
#
# AFTERSALE_TARBALL names a package that is packed already. A script and not a test: it installs the dependencies from the registry (or
# npm's cache), which no test may need.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/pack" "$folder/app"

# What one npm run hands down to another would point back at this project.
for name in $(compgen -e | grep -E '^npm_(lifecycle|package|config_local_prefix|command)' || true); do unset "$name"; done

cd "$root"
tarball=${AFTERSALE_TARBALL:-}
if [ -z "$tarball" ]; then
  npm pack --silent --pack-destination "$folder/pack" >/dev/null
  tarball=$(echo "$folder"/pack/aftersale-*.tgz)
fi
tarball=$(realpath "$tarball")

tar -tzf "$tarball" | sort >"$folder/files"
strangers=$(grep -vE '^package/(dist/.*\.(js|js\.map|d\.ts)|package\.json|README\.md|LICENSE|CHANGELOG\.md)$' "$folder/files" || true)
if [ -n "$strangers" ]; then
  printf 'the tarball holds what it should not:\n%s\n' "$strangers"
  exit 1
fi
for file in package.json README.md LICENSE CHANGELOG.md dist/index.js dist/index.d.ts dist/cli/main.js; do
  grep -qxF "package/$file" "$folder/files" || { echo "the tarball has no $file"; exit 1; }
done

cd "$folder/app"
echo '{ "name": "app", "private": true }' >package.json
npm install --silent --prefer-offline --no-fund --no-audit --ignore-scripts "$tarball" "@types/node@^20.19.0"

cat >import.mjs <<'JS'
import * as door from "aftersale";
import { createRequire } from "node:module";
const { openEsdbStore } = await import("aftersale/esdb");
await (await openEsdbStore("esdb://localhost:2113?tls=false")).close();
for (const store of ["memory:", "sqlite:./imported.db"]) {
  const engine = await door.openEngine({ store });
  await engine[Symbol.asyncDispose]();
}
const required = Object.keys(createRequire(import.meta.url)("aftersale")).filter((name) => name !== "__esModule");
const names = Object.keys(door);
if (names.length === 0 || names.includes("default")) throw new Error(`the door opens on ${names}`);
if (required.sort().join() !== names.sort().join()) throw new Error(`require gives ${required}, import ${names}`);
console.log(`imported: ${names.length} names`);
JS
node import.mjs

cat >require.cjs <<'JS'
const { openEngine } = require("aftersale");
const { version } = require("aftersale/package.json");
(async () => {
  const engine = await openEngine({ store: "memory:" });
  await engine[Symbol.asyncDispose]();
  console.log(`required: ${version}`);
})();
JS
node require.cjs

cat >consumer.mts <<'TS'
import { openEngine } from "aftersale";
await using engine = await openEngine({ store: "memory:" });
// @ts-expect-error: the types are there, and are not `any`.
engine.thereIsNoSuchMethod();
TS
node "$root/node_modules/typescript/bin/tsc" --noEmit --strict --target es2023 --lib es2023,esnext.disposable \
  --module nodenext --types node --ignoreConfig consumer.mts || { echo "the types do not compile"; exit 1; }
echo "compiled"

shown=$(npx --no-install aftersale --version)
wanted=$(node -p 'require("aftersale/package.json").version')
[ "$shown" = "$wanted" ] || { echo "aftersale --version says $shown, not $wanted"; exit 1; }
npx --no-install aftersale --help >help.txt
grep -q "exec" help.txt || { echo "aftersale --help names no exec"; exit 1; }
echo "run: aftersale $shown"

node "$root/test/package/journey.mjs" node_modules/aftersale/dist/cli/main.js
