import { testEngine } from "./engine.testsuite.ts";
import { connectEngine, type InngestServer, openInngestServer } from "./inngest.testing.ts";

/** One server for all processes of a test, as one outlives the gateways. */
const servers = new Map<string, InngestServer>();

testEngine({
  name: "inngest",
  crowd: 300,
  create(rig, drive) {
    const server = servers.get(rig.dir) ?? openInngestServer(rig);
    servers.set(rig.dir, server);
    return connectEngine(rig, server, drive);
  },
});
