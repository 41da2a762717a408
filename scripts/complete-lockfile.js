// npm leaves optional packages out of the lockfile when the registry it asked does not have them (a mirror
// with some platforms only), and `npm ci` then refuses the lockfile. This adds their entries: name, version and the
// platform that the name says, so that every platform skips or installs the same packages.
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));

const PLATFORMS = [
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
  "aix",
];
const ARCHITECTURES = [
  "arm64",
  "arm",
  "ia32",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "wasm32",
  "x64",
];

/** `@oxlint/binding-linux-x64-musl` runs on linux, x64. */
function platformOf(name) {
  const words = name.split(/[-/]/);
  return {
    os: PLATFORMS.filter((os) => words.includes(os)),
    cpu: ARCHITECTURES.filter((cpu) => words.includes(cpu)),
    libc: words.includes("musl")
      ? ["musl"]
      : words.includes("gnu") && words.includes("linux")
        ? ["glibc"]
        : [],
  };
}

let added = 0;
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    const { os, cpu, libc } = platformOf(name);
    if (lock.packages[key] !== undefined || os.length + cpu.length === 0) continue;
    lock.packages[key] = {
      version,
      ...(cpu.length > 0 && { cpu }),
      ...(entry.dev && { dev: true }),
      ...(libc.length > 0 && { libc }),
      optional: true,
      ...(os.length > 0 && { os }),
    };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} optional packages added to package-lock.json`);
