import { createHmac, timingSafeEqual } from "node:crypto";
import { type AgentId, type RandomBytes, randomHex } from "../../domain/ids.ts";

/** Ids of sessions that can be told to be this gateway's and this agent's without a record of them, also after a restart. */
export interface SessionIds {
  create(agentId: AgentId): string;
  /** Whether this gateway gave the id to this agent. It says nothing of who calls: that is the credential's to say. */
  isOf(agentId: AgentId, id: string): boolean;
}

/** @param key secret of the data folder; whoever has it can make ids, which without an agent's credential open nothing. */
export function createSessionIds(key: Uint8Array, random: RandomBytes): SessionIds {
  const seal = (agentId: AgentId, nonce: string): string =>
    createHmac("sha256", key).update(`session\0${agentId}\0${nonce}`).digest("hex").slice(0, 32);
  return {
    create: (agentId) => {
      const nonce = randomHex(16, random);
      return `${nonce}-${seal(agentId, nonce)}`;
    },
    isOf: (agentId, id) => {
      const [, nonce, given] = /^([0-9a-f]{32})-([0-9a-f]{32})$/.exec(id) ?? [];
      if (nonce === undefined || given === undefined) return false;
      return timingSafeEqual(Buffer.from(given), Buffer.from(seal(agentId, nonce)));
    },
  };
}
