// Ends a look at what is not there: refused, in words and where asked as a document.

import { type Rejection, describeRejection } from "../domain/refusals.ts";
import { CliError, exits } from "./exits.ts";
import { refusalDocument } from "./receipt.ts";
import type { Session } from "./session.ts";

/**
 * @param then whether it was looked for in the past.
 * @throws CliError `refused`, always.
 */
export async function missing(session: Session, rejection: Rejection, then: boolean): Promise<never> {
  const message = `${describeRejection(rejection)}${then ? " (at that time)" : ""}`;
  if (session.json) await session.document({ error: { ...refusalDocument(rejection), message } });
  throw new CliError(exits.refused, message);
}
