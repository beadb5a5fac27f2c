// The store over EventStoreDB, against a server in this process that breaks as the real one does.

import { type EsdbStore, type EsdbStoreOptions, openEsdbStore } from "../../src/store/esdb.ts";
import { storeContract } from "./contract.ts";
import { FakeServer } from "./fakeEsdb.ts";

/** A store on a fake server of its own, or on one that is given. */
function openFake(server = new FakeServer(), options: EsdbStoreOptions = {}): Promise<EsdbStore> {
  return openEsdbStore("esdb://fake:2113?tls=false", {
    connect: server.connect,
    clock: () => server.now,
    ...options,
  });
}

storeContract("esdb, on a fake server", { open: () => openFake(), inProcess: false, runs: 60 });
