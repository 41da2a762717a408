/** Running a gateway from a program of your own: `await startGateway(loadConfig({ path, env, dataDir }), createLog())`. */
export { type Gateway, startGateway } from "./app.ts";
export { checkConfig } from "./config/check.ts";
export type { Config } from "./config/config.ts";
export { type LoadConfigParams, loadConfig } from "./config/load.ts";
export { AtlasError, type AtlasErrorCode } from "./domain/errors.ts";
export { REASONS, type ReasonId } from "./domain/reasons.ts";
export { createLog, type Log } from "./telemetry/log.ts";
