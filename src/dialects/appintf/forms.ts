// The forms of the wiki's requests: of what is wrong with one the first, in the wiki's own order, as its code.

import type * as E from "fp-ts/lib/Either.js";
import { z } from "zod";

import { isId } from "../../domain/limits.ts";
import type { Asked } from "../dialect.ts";
import { readBy } from "../request.ts";
import { type Code, says } from "./messages.ts";
import { listTypes } from "./states.ts";

function reader<T extends z.ZodType, F>(form: T, faulty: (code: Code) => F) {
  return ({ fields }: Pick<Asked, "fields">): E.Either<F, z.infer<T>> =>
    readBy(form, fields, (message = "-1") => faulty(Number(message) as Code));
}

/** A code as an issue carries it: as a text. */
function fault(code: Code): string {
  return String(code);
}

const anything = z.unknown().optional();

/** The greatest of 32 bits. */
const greatest = 2 ** 31 - 1;

/** An int, which is what the wiki's numbers are; where nothing is given, what is otherwise meant. */
function int(
  code: Code,
  { otherwise, least, most = greatest }: { otherwise: number; least: number; most?: number },
) {
  const said = fault(code);
  return anything
    .transform((given) => {
      if ((given ?? "") === "") return otherwise;
      return typeof given === "string" && /^-?\d{1,10}$/.test(given) ? Number(given) : given;
    })
    .pipe(z.int(said).min(least, said).max(most, said));
}

/** An id; undefined where it is left out, 0 (which the wiki has for nothing), or no id at all. */
const id = anything.transform((given) => {
  const text = typeof given === "number" ? String(given) : given;
  return typeof text === "string" && text !== "0" && isId(text) ? text : undefined;
});

const text = anything.transform((given) => (typeof given === "string" ? given.trim() : ""));

const mostOnPage = 1_000;

const pageForm = z.object({
  pageNo: int(-1, { otherwise: 1, least: 1 }),
  pageSize: int(-1, { otherwise: 10, least: 1, most: mostOnPage }),
});

export type Page = z.infer<typeof pageForm>;

export const readPage = reader(pageForm, says);

const listForm = pageForm.extend({
  type: int(-1, { otherwise: 0, least: 0, most: listTypes.length - 1 }),
});

export const readList = reader(listForm, says);

const orderForm = z.object({ orderId: id });

export type OrderNamed = z.infer<typeof orderForm>;

export const readOrder = reader(orderForm, says);

const caseForm = orderForm.extend({ refundId: id });

export type CaseNamed = z.infer<typeof caseForm>;

export const readCase = reader(caseForm, says);

const longestCause = 200;

const applicationForm = z.object({
  causeType: int(50, { otherwise: 0, least: 1 }),
  cause: text.pipe(z.string().min(1, fault(50)).max(longestCause, fault(51))),
  proofs: text
    .transform((urls) =>
      urls
        .split(",")
        .map((url) => url.trim())
        .filter((url) => url !== ""),
    )
    .pipe(z.array(z.string()).min(1, fault(52))),
});

export type Application = z.infer<typeof applicationForm>;

export const readApplication = reader(applicationForm, (code) => code);
