import { documentation, moneyRequested } from "../signals/money.ts";
import { appealRights, vulnerablePerson } from "../signals/persons.ts";
import type { Pack } from "./pack.ts";

/** Public benefits: what EU AI Act Annex III 5(a) and its neighbours ask to look at. Weights: proposed, not derived from law or data. */
export const welfare: Pack = {
  id: "welfare",
  describe:
    "public benefits: requests about payments, documentation, people in a vulnerable position, appeals",
  signals: [moneyRequested, documentation, vulnerablePerson, appealRights],
};
