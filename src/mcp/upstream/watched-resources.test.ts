import { expect, test } from "vitest";
import type { ResourceWatch } from "./resource-watch.ts";
import { createWatchedResources } from "./watched-resources.ts";

function upstream(takes = true): ResourceWatch & { readonly log: string[] } {
  const log: string[] = [];
  return {
    log,
    add: async (uri) => {
      log.push(`add ${uri}`);
      return takes;
    },
    remove: async (uri) => void log.push(`remove ${uri}`),
  };
}

test("one subscription serves everybody, and ends with the last", async () => {
  const watched = createWatchedResources(() => undefined);
  const connection = upstream();
  await watched.moveTo(connection);
  const first = await watched.add("a");
  const second = await watched.add("a");
  first?.();
  first?.();
  expect(connection.log).toEqual(["add a"]);
  second?.();
  expect(connection.log).toEqual(["add a", "remove a"]);
});

test("what the upstream does not take is not watched", async () => {
  const watched = createWatchedResources(() => undefined);
  expect(await watched.add("a")).toBeNull();
  await watched.moveTo(upstream(false));
  expect(await watched.add("a")).toBeNull();
  const next = upstream();
  await watched.moveTo(next);
  expect(next.log).toEqual([]);
});

test("another connection is subscribed anew, and everybody told that much may have changed", async () => {
  const told: string[] = [];
  const watched = createWatchedResources((uri) => void told.push(uri));
  await watched.moveTo(upstream());
  await watched.add("a");
  watched.lost();
  const next = upstream();
  await watched.moveTo(next);
  expect(next.log).toEqual(["add a"]);
  expect(told).toEqual(["a"]);
});
