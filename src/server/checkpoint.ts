// A checkpoint in a file: what was saved is there after a crash, and never half of it.

import { rename } from "node:fs/promises";
import { dirname } from "node:path";

import type { Checkpoint } from "../dialects/baidu/sender.ts";
import { durably, textOf } from "./files.ts";

/** The checkpoint of this file, which is made by the first `save`. */
export function fileCheckpoint(path: string): Checkpoint {
  return {
    load: async () => {
      const text = (await textOf(path)).trim();
      return text === "" ? undefined : text;
    },
    save: async (position) => {
      const beside = `${path}.new`;
      await durably(beside, "w", async (file) => file.writeFile(`${position}\n`));
      await rename(beside, path);
      // The folder holds the new name; systems that cannot open folders keep it by themselves.
      await durably(dirname(path), "r", async () => undefined).catch(() => undefined);
    },
  };
}
