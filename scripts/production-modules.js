// Copies the packages that a gateway runs with, in the versions of the lockfile: neither the parts of tests and builds nor
// the pinned Node binaries, but Inngest's SDK, which a published package leaves to whoever uses that engine.
//   node scripts/production-modules.js <folder>
import { cpSync, existsSync, readFileSync } from "node:fs";
import path from "node:path";

const [, , target] = process.argv;
if (target === undefined) throw new Error("Name the folder that the packages go to.");
const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
const root = packages[""];
const wanted = { ...root.dependencies, ...root.optionalDependencies, ...root.peerDependencies };
const kept = new Set();
for (const name of Object.keys(wanted)) if (!name.startsWith("node-")) keep(name, "");
for (const place of kept) copy(place);

/** Follows what a package needs, from where Node would look for it. */
function keep(name, from) {
  const place = resolve(name, from);
  if (place === undefined || kept.has(place)) return;
  kept.add(place);
  const { link, resolved } = packages[place];
  const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } =
    link === true ? packages[resolved] : packages[place];
  const peers = Object.keys(peerDependencies ?? {}).filter(
    (peer) => peerDependenciesMeta?.[peer]?.optional !== true,
  );
  for (const next of [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers])
    keep(next, place);
}

function resolve(name, from) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    const place = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
    if (packages[place] !== undefined) return place;
    if (at === "") return undefined;
    if (!at.includes("/node_modules/")) {
      const top = `node_modules/${name}`;
      return packages[top] === undefined ? undefined : top;
    }
  }
}

/** Without the packages inside it, which stand for themselves. Those of other platforms are not there. */
function copy(place) {
  const source = packages[place].link === true ? packages[place].resolved : place;
  if (!existsSync(source)) return;
  const inside = path.join(source, "node_modules");
  const to = path.join(target, place.replace(/^node_modules\//, ""));
  cpSync(source, to, { recursive: true, filter: (file) => file !== inside });
}
