// Baidu's documents as they are written and read: every field in its document's own order, times in seconds, amounts in fen.

import { z } from "zod";

import { mainStatuses, subStatuses } from "./states.ts";

const text = z.string().refine((value) => value.isWellFormed() && !value.includes("\0"), "no text");
const id = text.min(1);
const int = z.int().min(0);
/** Seconds: until the year 9999. */
const seconds = z.int().min(0).max(253_402_300_799);

/** Where a tap leads to. Status: 0 hidden, 1 shown, 2 shown and leading there; clients of the Go SDK write it as a text. */
const page = z.object({
  Status: z.literal([0, 1, 2, "0", "1", "2"]).transform(Number).optional(),
  Name: text.optional(),
  H5Schema: text.optional(),
  SwanSchema: text.optional(),
  IPhoneSchema: text.optional(),
  AndroidSchema: text.optional(),
});

const refundProduct = z.object({ ID: id, Quantity: int, Amount: int });

const info = z.object({ Name: text, Value: int, Quantity: int });

const payment = z.object({
  Time: seconds.optional(),
  /** 1 online, 2 on delivery. */
  Method: z.literal([1, 2]),
  Amount: int,
  IsPayment: z.boolean(),
  PreferentialInfo: z.array(info).nullish(),
  PaymentInfo: z.array(info).nullish(),
});

export const itemSchema = z.object({
  SubOrderID: id,
  SubStatus: z.literal(subStatuses),
  CTime: seconds,
  MTime: seconds,
  OrderDetail: page.optional(),
  Payment: payment.optional(),
  Refund: z.object({ Amount: int, Product: z.array(refundProduct) }).optional(),
  Aftermarket: z.object({ Product: z.array(refundProduct) }).optional(),
  /** 1 refund alone, 2 exchange, 3 refund and return. */
  OrderType: z.literal([1, 2, 3]),
});

/** 0 stands in the document's own examples for what is to be worked out. */
const aggregate = z.literal([...subStatuses, 0]).optional();

const subs = z.object({ Status: aggregate, Items: z.array(itemSchema) });

const product = z.object({
  ID: id,
  Name: text,
  Desc: text.optional(),
  Quantity: z.int().min(1),
  Price: int,
  /** What one unit cost. */
  PayPrice: int,
  ImgList: z.array(text).nullish(),
  DetailPage: page.optional(),
  SkuAttr: z.array(z.object({ Name: text, Value: text })).nullish(),
});

const express = z.object({ ID: id, Name: text, Code: text.optional(), Type: z.int() });

const main = z.object({
  Products: z.array(product).min(1),
  Payment: payment,
  Appraise: page.optional(),
  OrderDetail: page.optional(),
  Express: z.array(express).nullish(),
});

const ofOrder = {
  CateID: z.literal([1, 2]),
  BizAPPID: id,
};

type WithStatus = { readonly CateID: 1 | 2; readonly Status: number };

const statusOfKind = (one: WithStatus): boolean => mainStatuses[one.CateID].includes(one.Status);
const statusRule = { path: ["Status"], error: "is no status of orders of this CateID" };

const dated = { Title: text, ResourceID: id, Ctime: seconds, Mtime: seconds, Status: z.int() };

/** An element of `Data` of each operation. */
export const orderSchema = z
  .object({ ...ofOrder, ...dated, EXT: z.object({ MainOrder: main, SubsOrder: subs.nullish() }) })
  .refine(statusOfKind, statusRule);

/** Its examples leave out what stays as it was: title and times. */
export const updateSchema = z
  .object({
    ...ofOrder,
    Title: text.optional(),
    ResourceID: id,
    Ctime: seconds.optional(),
    Mtime: seconds.optional(),
    Status: z.int(),
    EXT: z.object({ MainOrder: main }),
  })
  .refine(statusOfKind, statusRule);

export const statusSchema = z
  .object({ ...ofOrder, ResourceID: id, Status: z.int() })
  .refine(statusOfKind, statusRule);

export const subsSchema = z.object({ ...ofOrder, ResourceID: id, EXT: z.object({ SubsOrder: subs }) });

export const subStatusSchema = z.object({
  ...ofOrder,
  ResourceID: id,
  EXT: z.object({
    SubsOrder: z.object({
      Status: aggregate,
      Items: z.array(z.object({ SubOrderID: id, SubStatus: z.literal(subStatuses) })),
    }),
  }),
});

export type OrderDocument = z.output<typeof orderSchema>;
export type MainDocument = z.output<typeof main>;
export type SubsDocument = z.output<typeof subsSchema>;
export type Item = z.output<typeof itemSchema>;
export type Page = z.output<typeof page>;
export type UpdateDocument = z.output<typeof updateSchema>;
export type StatusDocument = z.output<typeof statusSchema>;
export type SubStatusDocument = z.output<typeof subStatusSchema>;

/** What of an order's document rides along in its `source.baidu`: nothing of it is read by a rule. */
export const foreignSchema = z.object({
  BizAPPID: text.optional(),
  Title: text.optional(),
  Mtime: seconds.optional(),
  Appraised: z.boolean().optional(),
  Method: z.literal([1, 2]).optional(),
  Appraise: page.optional(),
  OrderDetail: page.optional(),
  PreferentialInfo: z.array(info).nullish(),
  PaymentInfo: z.array(info).nullish(),
});

/** The same of a product, in its line's `source.baidu`. */
export const foreignProductSchema = product.partial();

/** Whether two documents, or parts of them, are written alike. */
export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The fields that a schema did not know, as paths such as `EXT.MainOrder.Extra`. */
export function unknownFields(given: unknown, read: unknown, path = ""): readonly string[] {
  if (Array.isArray(given) && Array.isArray(read)) {
    return given.flatMap((one, at) => unknownFields(one, read[at], `${path}[${at}]`));
  }
  if (given === null || read === null || typeof given !== "object" || typeof read !== "object") return [];
  return Object.entries(given).flatMap(([key, value]) => {
    const field = path === "" ? key : `${path}.${key}`;
    return Object.hasOwn(read, key)
      ? unknownFields(value, (read as Record<string, unknown>)[key], field)
      : [field];
  });
}

/** The first fault that a schema found, as `EXT.SubsOrder.Items[0].SubStatus: ...`. */
export function faultOf(error: z.ZodError): string {
  const issue = error.issues[0] as z.core.$ZodIssue;
  let path = "";
  for (const step of issue.path) {
    path += typeof step === "number" ? `[${step}]` : path === "" ? String(step) : `.${String(step)}`;
  }
  return `${path === "" ? "Data" : path}: ${issue.message}`;
}
