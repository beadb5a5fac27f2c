// What the order centre answers: rows by the elements of `Data`, a fault of the document, and the platform's own errors.

import type { Reply } from "../dialect.ts";

/** What is said of one element of `Data`; every field is a text, and `rows_affected` "0" means that it failed. */
export interface Row {
  readonly biz_app_id: string;
  readonly cate_id: string;
  readonly resource_id: string;
  readonly rows_affected: string;
}

export function rowOf(
  {
    BizAPPID,
    CateID,
    ResourceID,
  }: { readonly BizAPPID: string; readonly CateID: number; readonly ResourceID: string },
  affected: boolean,
): Row {
  return {
    biz_app_id: BizAPPID,
    cate_id: String(CateID),
    resource_id: ResourceID,
    rows_affected: affected ? "1" : "0",
  };
}

export function rows(data: readonly Row[]): Reply {
  return { json: { errno: 0, msg: "success", data } };
}

/** A document that is not as the document says; the order centre's number for it is written down nowhere. */
export function malformed(fault: string): Reply {
  return { json: { errno: 100, msg: `Invalid parameter: ${fault}`, data: [] } };
}

/** What was asked could not be decided: others were in its way each time. Asked once more it may be. */
export function failed(): Reply {
  return { json: { errno: 1, msg: "操作失败", data: [] } };
}

/** The platform's errors, before a request comes to the order centre. */
export const platform = {
  unknown: (id: string): Reply => ({ json: { error_code: 1, error_msg: `Unknown error (${id})` } }),
  noSuchMethod: (): Reply => ({ json: { error_code: 3, error_msg: "Unsupported openapi method" } }),
  noPermission: (): Reply => ({ json: { error_code: 6, error_msg: "No permission to access data" } }),
  badToken: (): Reply => ({
    json: { error_code: 110, error_msg: "Access token invalid or no longer valid" },
  }),
  invalid: (why: string): Reply => ({
    json: { error_code: 100, error_msg: `Invalid parameter (${why})` },
  }),
} as const;
