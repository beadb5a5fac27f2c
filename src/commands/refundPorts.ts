// What the refund process asks of those who pay money back: a payment provider for `original`, a wallet for `wallet`.

/** One attempt to pay money back: the same for every call about it. */
export interface RefundRequest {
  /** The idempotency key: whatever is asked under it, and however often, the money moves once. At most 160 characters. */
  readonly refundId: string;
  /** Minor units of `currency`, 1 or more. */
  readonly amount: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly orderId: string;
  readonly caseId: string;
  readonly merchantId: string;
  readonly buyerId: string;
  /** The payment that is given back, in whole or in part, and the provider's own number of it where it had one. */
  readonly payId: string;
  readonly tradeNo: string | undefined;
  /** Aborted when the process is told to stop: give up waiting, and throw. */
  readonly signal: AbortSignal | undefined;
}

/** What came of a refund. */
export type RefundAnswer =
  /** The money has moved. `amount` as it was moved, in minor units; another one than asked for is recorded by nobody, and reported. */
  | { readonly status: "settled"; readonly amount: number; readonly tradeNo?: string | undefined }
  /** Taken on; its outcome comes by a callback, or is asked for again later. */
  | { readonly status: "pending" }
  /**
   * Final: no money moved under this id, and none ever will. `failure` is the provider's own code; `retryable`: that another attempt,
   * under another id, may go better. Who is not sure throws instead.
   */
  | {
      readonly status: "refused";
      readonly failure: string;
      readonly retryable: boolean;
      readonly message?: string | undefined;
    };

/** `unknown`: nothing was ever asked under this id. */
export type RefundStatus = RefundAnswer | { readonly status: "unknown" };

/**
 * Pays back the way the payment came. What a method throws, a time-out included, means that the outcome is not known: the refund stays
 * in flight, and its status is asked for later. A method that never answers holds up its run; time limits are its own.
 */
export interface PaymentProvider {
  /** Who the events say it was: an id. */
  readonly name: string;
  /** Pays back. Asked again under a `refundId`, it moves nothing, and answers what came of it. */
  refund(request: RefundRequest): Promise<RefundAnswer>;
  /** What came of a refund: asked before every `refund`, so that a restart asks before it pays. */
  status(refundId: string, request: RefundRequest): Promise<RefundStatus>;
}

/** The shop's own wallet for its buyers; its methods promise what a payment provider's do. */
export interface Wallet {
  readonly name: string;
  /** Adds the amount to the buyer's balance, once for each `refundId`. */
  credit(request: RefundRequest): Promise<RefundAnswer>;
  status(refundId: string, request: RefundRequest): Promise<RefundStatus>;
  /** What a buyer has, in minor units of a currency. */
  balance(buyerId: string, currency: string): Promise<number>;
}
