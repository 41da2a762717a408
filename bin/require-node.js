// Written in the oldest syntax that matters: an old Node must get as far as the sentence below.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `ATLAS needs Node 22.18 or newer; this is Node ${process.versions.node}. ` +
      "Inside a clone, run it through npm (npm start, npx atlas …), which brings its own Node 24.",
  );
  process.exit(1);
}
