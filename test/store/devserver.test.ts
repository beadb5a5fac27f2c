// The store over EventStoreDB through the unmodified client: on the development server, or on the one that AFTERSALE_TEST_STORE names.

import { storeContract } from "./contract.ts";
import { openScoped, testUrl, tidyServer } from "./scoped.ts";

tidyServer();

let opened = 0;

storeContract(`esdb, on ${testUrl ?? "the development server"}`, {
  open: () => openScoped(`contract-${(opened += 1)}`),
  inProcess: false,
  runs: 15,
});
