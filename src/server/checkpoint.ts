// A checkpoint in a file: what was saved is there after a crash, and never half of it.

import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

import type { Checkpoint } from "../dialects/baidu/sender.ts";

/** The checkpoint of this file, which is made by the first `save`. */
export function fileCheckpoint(path: string): Checkpoint {
  return {
    load: async () => {
      try {
        const text = (await readFile(path, "utf8")).trim();
        return text === "" ? undefined : text;
      } catch (error) {
        if ((error as { code?: unknown }).code === "ENOENT") return undefined;
        throw error;
      }
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

async function durably(
  path: string,
  flags: string,
  work: (file: Awaited<ReturnType<typeof open>>) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags);
  try {
    await work(file);
    await file.sync();
  } finally {
    await file.close();
  }
}
