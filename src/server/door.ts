// The door of the server, `aftersale/server`: what a service needs to serve a shop, or to mount it in a server of its own.

export type { ApifmOptions } from "../dialects/apifm/index.ts";
export type { ShopPorts } from "../dialects/catalog.ts";
export { dialects } from "../dialects/byName.ts";
export { freightBy } from "../dialects/freight.ts";
export type { FreightRule } from "../dialects/freight.ts";
export type { AppintfMount, Signatures } from "../dialects/appintf/index.ts";
export type { FetchHandler, MakeDialect, Mount } from "../dialects/dialect.ts";
export type {
  Addresses,
  Authentication,
  Caller,
  Catalog,
  Choice,
  Freight,
  Goods,
  Log,
  LogLine,
  Parcel,
  Ports,
  Purse,
  ReturnAddress,
  Trace,
  Tracking,
} from "../dialects/ports.ts";
export { baidu } from "../dialects/baidu/index.ts";
export type { BaiduMount } from "../dialects/baidu/index.ts";
export { importDocument } from "../dialects/baidu/imports.ts";
export type { ImportReport, Intake } from "../dialects/baidu/imports.ts";
export { followChanges, sendChanges, SenderError } from "../dialects/baidu/sender.ts";
export type { Checkpoint, SenderOptions, Sent } from "../dialects/baidu/sender.ts";
export { toldOf } from "../dialects/baidu/views.ts";
export type { BaiduShop, Told } from "../dialects/baidu/views.ts";
export { createApp } from "./app.ts";
export type { AppOptions } from "./app.ts";
export { emptyShop, fileShop } from "./catalog.ts";
export { fileCheckpoint } from "./checkpoint.ts";
export { readConfig } from "./config.ts";
export type { Config, DialectOptions, Secrets, SenderSettings } from "./config.ts";
export { listen } from "./listen.ts";
export type { Listening, ListenOptions } from "./listen.ts";
export { serve } from "./serve.ts";
export type { ServeOptions } from "./serve.ts";
export { hmacSignatures } from "./signatures.ts";
export { addToken, fileAuthentication } from "./tokens.ts";
