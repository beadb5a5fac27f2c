// `aftersale token`: makes, lists and revokes the tokens by which callers of `aftersale serve` are known.

import { type Command, Argument } from "commander";

import { type Role, roles } from "../domain/actor.ts";
import { isId } from "../domain/limits.ts";
import { CliError, exits, messageOf } from "./exits.ts";
import { instantText, table } from "./output.ts";
import type { Run, Session } from "./session.ts";

interface TokenOptions {
  readonly tokens?: string;
}

/** The file of token hashes: as asked for, from the environment, or the one of this folder. */
export function tokensFile(session: Session, asked: string | undefined): string {
  const fromEnvironment = session.io.env["AFTERSALE_TOKENS"] ?? "";
  return asked ?? (fromEnvironment === "" ? "./aftersale.tokens" : fromEnvironment);
}

const flag = [
  "--tokens <file>",
  "file of token hashes (default: AFTERSALE_TOKENS, else ./aftersale.tokens)",
] as const;

export function addToken(program: Command, run: Run): void {
  const token = program
    .command("token")
    .description("make, list and revoke the tokens of callers of `serve`")
    .helpCommand(false);
  token
    .command("add")
    .description("make a token and print it: it stands nowhere else, only its hash is kept")
    .addArgument(new Argument("<role>", "what its bearer is").choices(roles))
    .argument("<id>", "who its bearer is")
    .option(...flag)
    .action((role: Role, id: string, options: TokenOptions, command: Command) =>
      run(command, (session) => add(session, role, id, options)),
    );
  token
    .command("list")
    .description("list the tokens that were made, without the tokens")
    .option(...flag)
    .action((options: TokenOptions, command: Command) => run(command, (session) => list(session, options)));
  token
    .command("revoke")
    .description("revoke a token; a running server knows within a second or so")
    .argument("<key>", "its key, as `token list` shows it, or the token itself")
    .option(...flag)
    .action((key: string, options: TokenOptions, command: Command) =>
      run(command, (session) => revoke(session, key, options)),
    );
}

async function add(session: Session, role: Role, id: string, { tokens }: TokenOptions) {
  if (!isId(id)) {
    throw new CliError(exits.usage, `<id>: ${JSON.stringify(id)} is no id`);
  }
  const { addToken: made } = await import("../server/tokens.ts");
  const file = tokensFile(session, tokens);
  const token = await made(file, { role, id }, Date.now()).catch(unreadable);
  if (session.json) await session.document({ token, role, id });
  else await session.print(token);
  session.note(`a token of ${role} ${id}, its hash is in ${file}; it is not shown again`);
  return exits.done;
}

async function list(session: Session, { tokens }: TokenOptions) {
  const { listTokens } = await import("../server/tokens.ts");
  const entries = await listTokens(tokensFile(session, tokens)).catch(unreadable);
  if (session.json) await session.document({ tokens: entries });
  else if (entries.length === 0) session.note("no tokens");
  else {
    await session.print(
      table(
        [{ title: "key" }, { title: "role" }, { title: "id" }, { title: "made" }, { title: "revoked" }],
        entries.map(({ key, role, id, addedAt, revokedAt }) => [
          key,
          role,
          id,
          instantText(addedAt),
          revokedAt === undefined ? "" : instantText(revokedAt),
        ]),
      ),
    );
  }
  return exits.done;
}

async function revoke(session: Session, key: string, { tokens }: TokenOptions) {
  const { revokeToken } = await import("../server/tokens.ts");
  const revoked = await revokeToken(tokensFile(session, tokens), key, Date.now()).catch(unreadable);
  if (session.json) await session.document({ revoked });
  else session.note(revoked ? "revoked" : "there is no such token, or it is revoked already");
  return revoked ? exits.done : exits.refused;
}

function unreadable(error: unknown): never {
  throw new CliError(exits.unreadable, messageOf(error), { cause: error });
}
