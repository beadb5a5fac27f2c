// `aftersale diagram`: the order's chart as a picture, from the same moves that decide what is legal.

import { type Command, Option } from "commander";

import type { Move } from "../domain/chart.ts";
import { exits } from "./exits.ts";
import type { Run } from "./session.ts";

interface DiagramOptions {
  readonly format: "mermaid" | "svg";
}

export function addDiagram(program: Command, run: Run): void {
  program
    .command("diagram")
    .description("print the chart of an order's statuses and the commands that lead from one to the next")
    .addOption(
      new Option("--format <format>", "how to draw it").choices(["mermaid", "svg"]).default("mermaid"),
    )
    .action(({ format }: DiagramOptions, command: Command) =>
      run(command, async (session) => {
        const { orderMoves } = await import("../domain/lifecycle.ts");
        if (session.json) await session.document({ moves: orderMoves });
        else if (format === "mermaid") await session.print(toMermaid(orderMoves, "none"));
        else {
          const { toSvg } = await import("./svg.ts");
          await session.print(
            toSvg(orderMoves, "none", "The order's statuses, and the commands between them"),
          );
        }
        return exits.done;
      }),
    );
}

/** A Mermaid state diagram; `start` is the status before the first. */
export function toMermaid(moves: readonly Move[], start: string): string {
  const name = (status: string): string => (status === start ? "[*]" : status);
  return [
    "stateDiagram-v2",
    ...moves.map(({ from, outcome, to }) => `  ${name(from)} --> ${name(to)}: ${outcome}`),
  ].join("\n");
}
