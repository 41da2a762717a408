import { phrases } from "../phrases.ts";

/** What a kind of cluster object holds. */
export type KindMeaning = "secret" | "access" | "shared" | "workload" | null;

const SECRET = phrases("secret|sealed secret|external secret|service account token");
const ACCESS = phrases(
  "role|cluster role|role binding|cluster role binding|service account|network policy|pod security policy|validating webhook configuration|mutating webhook configuration",
);
const SHARED = phrases(
  "namespace|node|persistent volume|persistent volume claim|pvc|custom resource definition|crd|storage class|ingress class",
);
const WORKLOAD = phrases(
  "pod|deployment|stateful set|daemon set|replica set|job|cron job|service|ingress|config map|configmap|event|hpa",
);

/** Reads the kind of a Kubernetes object from its words. */
export function readKind(words: string): KindMeaning {
  if (SECRET.test(words)) return "secret";
  if (ACCESS.test(words)) return "access";
  if (SHARED.test(words)) return "shared";
  return WORKLOAD.test(words) ? "workload" : null;
}
