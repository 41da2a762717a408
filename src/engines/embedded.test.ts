import { createEmbeddedEngine } from "./embedded.ts";
import { testEngine } from "./engine.testsuite.ts";

testEngine({
  name: "embedded",
  create(rig, drive) {
    const engine = createEmbeddedEngine({
      store: rig.store,
      drive,
      writer: rig.deps.writer,
      clock: rig.clock,
      onError: () => undefined,
    });
    return {
      ...engine,
      async settle() {
        await engine.tick();
        await engine.idle();
      },
    };
  },
});
