// The door of the package: what an embedding service may rely on, each name by name.

export { openEngine, viewNames } from "./engine.ts";
export type { AsOf, Engine, EngineOptions, RefundQuery, StatisticsAnswer, Views } from "./engine.ts";
export type { Explanation } from "./audit/explain.ts";
export type { Preview, Receipt } from "./commands/handle.ts";
export type { ExecuteOptions, Expect } from "./commands/parse.ts";
export type {
  PaymentProvider,
  RefundAnswer,
  RefundRequest,
  RefundStatus,
  Wallet,
} from "./commands/refundPorts.ts";
export type { RefundInFlight, RefundRun, RefundRunOptions } from "./commands/refunds.ts";
export { memoryWallet, scriptedProvider } from "./commands/scripted.ts";
export type { RefundScript, Scripted, ScriptStep } from "./commands/scripted.ts";
export type { MerchantTerms, TermsOption } from "./commands/terms.ts";
export type { HoldRun, KeptWallet, TopUp, WalletBalance } from "./commands/wallet.ts";
export type { Actor, Role } from "./domain/actor.ts";
export type { Command, CommandType } from "./domain/commands.ts";
export { caseMachine, caseMoves } from "./domain/caseLifecycle.ts";
export { decide } from "./domain/decide.ts";
export type { OrderEvent, OrderEventType } from "./domain/events.ts";
export { orderMachine, orderMoves } from "./domain/lifecycle.ts";
export { describeRejection } from "./domain/refusals.ts";
export type { Rejection, RejectionCode } from "./domain/refusals.ts";
export type { ExactSum } from "./domain/money.ts";
export { evolve, initialState, isTerminal } from "./domain/state.ts";
export type { Order, OrderState } from "./domain/state.ts";
export { defaultTerms } from "./domain/terms.ts";
export type { Terms } from "./domain/terms.ts";
export { describeWalletRefusal } from "./domain/wallet.ts";
export type { WalletEvent, WalletRefusal } from "./domain/wallet.ts";
export type { CaseFilter, CasePage, CaseRow, QueueFilter } from "./projections/cases.ts";
export type { OrderDetail, OrderTold } from "./projections/detail.ts";
export type { OrderFilter, OrderPage, OrderRow } from "./projections/orders.ts";
export type { RefundDetail, RefundHistory } from "./projections/refund.ts";
export type { Statistics } from "./projections/statistics.ts";
export { isStoreError, StoreError } from "./store/port.ts";
