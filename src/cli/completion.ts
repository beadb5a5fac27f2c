// `aftersale completion`: what a shell needs to complete a command line, written from the commands themselves.

import { type Command, Argument } from "commander";

import { exits } from "./exits.ts";
import type { Run } from "./session.ts";

const shells = ["bash", "zsh", "fish"] as const;

export function addCompletion(program: Command, run: Run): void {
  program
    .command("completion")
    .description("print a shell's completion script, such as: source <(aftersale completion bash)")
    .addArgument(new Argument("<shell>").choices(shells))
    .action((shell: (typeof shells)[number], _options: object, command: Command) =>
      run(command, async (session) => {
        const [{ schemaNames }, { viewNames }] = await Promise.all([
          import("../commands/jsonSchema.ts"),
          import("../engine.ts"),
        ]);
        const named = new Map([
          ["schema", schemaNames],
          ["rebuild", viewNames],
        ]);
        await session.print(scripts[shell](wordsOf(program, named)));
        return exits.done;
      }),
    );
}

interface Flag {
  readonly flag: string;
  readonly description: string;
  readonly takesValue: boolean;
  /** What the value may be; undefined where it is free. */
  readonly values: readonly string[] | undefined;
  readonly takesFile: boolean;
}

interface Words {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  /** What its first argument may be, or where it takes many, each. */
  readonly values: readonly string[];
  readonly takesMany: boolean;
}

function flagsOf(command: Command): readonly Flag[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, description, required, argChoices, flags }) =>
      long === undefined || long === null
        ? []
        : [
            {
              flag: long,
              description,
              takesValue: required,
              values: argChoices,
              takesFile: flags.includes("<file>"),
            },
          ],
    );
}

/** Each flag once: commands share some, and a command does with those below it. */
function unique(flags: readonly Flag[]): readonly Flag[] {
  return [...new Map(flags.map((flag) => [flag.flag, flag])).values()];
}

/** @param named the arguments that commands check by themselves, by the commands' names. */
function wordsOf(
  program: Command,
  named: ReadonlyMap<string, readonly string[]>,
): { readonly root: Words; readonly commands: readonly Words[] } {
  const words = (command: Command, below: readonly Command[]): Words => {
    const [first] = command.registeredArguments;
    return {
      name: command.name(),
      description: command.description().split("\n")[0] as string,
      flags: unique([command, ...below].flatMap(flagsOf)),
      values: first?.argChoices ?? named.get(command.name()) ?? below.map((one) => one.name()),
      takesMany: first?.variadic ?? false,
    };
  };
  const root = words(program, []);
  // Every command has its own --help; what the program has is offered with each.
  const ofAll = new Set(root.flags.map(({ flag }) => flag));
  return {
    root,
    commands: program.commands.map((command) => {
      const { flags, ...rest } = words(command, command.commands);
      return { ...rest, flags: flags.filter(({ flag }) => !ofAll.has(flag)) };
    }),
  };
}

type Tree = ReturnType<typeof wordsOf>;

function bash({ root, commands }: Tree): string {
  const valued = root.flags.filter(({ takesValue }) => takesValue).map(({ flag }) => flag);
  const all = [...root.flags, ...commands.flatMap(({ flags }) => flags)];
  const known = unique(all);
  const files = known.filter(({ takesFile }) => takesFile).map(({ flag }) => flag);
  const listed = known.filter(({ values }) => values !== undefined);
  const free = known
    .filter((one) => one.takesValue && one.values === undefined && !one.takesFile)
    .map(({ flag }) => flag);
  const rootFlags = root.flags.map(({ flag }) => flag).join(" ");
  return [
    "_aftersale() {",
    '  local rest=$COMP_LINE typed=() last=-1 command="" i',
    "  # Bash takes words apart at : and = as well; what no space parts belongs together.",
    "  for ((i = 0; i <= COMP_CWORD; i++)); do",
    "    [[ $last -ge 0 && $rest != [[:space:]]* ]] || ((++last))",
    '    rest=${rest#"${rest%%[![:space:]]*}"}',
    '    rest=${rest#"${COMP_WORDS[i]}"}',
    "    typed[last]+=${COMP_WORDS[i]}",
    "  done",
    "  local word=${typed[last]} before=${typed[last-1]}",
    "  [[ $word == --*=* ]] && before=${word%%=*} word=${word#*=}",
    "  for ((i = 1; i < last; i++)); do",
    "    case ${typed[i]} in",
    `      ${valued.join("|")}) ((i++)) ;;`,
    "      -*) ;;",
    "      *) command=${typed[i]}; break ;;",
    "    esac",
    "  done",
    "  case $before in",
    `    ${files.join("|")}) COMPREPLY=($(compgen -f -- "$word")); return ;;`,
    ...listed.map(
      ({ flag, values = [] }) =>
        `    ${flag}) COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$word")); return ;;`,
    ),
    ...(free.length === 0 ? [] : [`    ${free.join("|")}) COMPREPLY=(); return ;;`]),
    "  esac",
    "  local words",
    "  case $command in",
    `    "") words="${commands.map(({ name }) => name).join(" ")} ${rootFlags}" ;;`,
    ...commands.map(
      ({ name, flags, values }) =>
        `    ${name}) words="${[...values, ...flags.map(({ flag }) => flag), rootFlags].join(" ")}" ;;`,
    ),
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    "}",
    "complete -o default -F _aftersale aftersale",
  ].join("\n");
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function zsh({ root, commands }: Tree): string {
  const spec = ({ flag, description, takesValue, values, takesFile }: Flag): string => {
    const said = description.replaceAll(/[[\]:]/g, (character) => `\\${character}`);
    const value = takesFile
      ? ":file:_files"
      : `:value:${values === undefined ? "" : `(${values.join(" ")})`}`;
    return quoted(`${flag}[${said}]${takesValue ? value : ""}`);
  };
  const rootFlags = root.flags.map(spec).join(" ");
  return [
    "#compdef aftersale",
    "_aftersale() {",
    "  local -a commands=(",
    ...commands.map(
      ({ name, description }) => `    ${quoted(`${name}:${description.replaceAll(":", "\\:")}`)}`,
    ),
    "  )",
    "  local state",
    `  _arguments -C ${rootFlags} '1:command:->command' '*::argument:->arguments'`,
    "  case $state in",
    "    command) _describe command commands ;;",
    "    arguments)",
    "      case $words[1] in",
    ...commands.map(({ name, flags, values, takesMany }) => {
      const which = takesMany ? "*" : "1";
      const said = values.length === 0 ? "" : ` ${quoted(`${which}:value:(${values.join(" ")})`)}`;
      return `        ${name}) _arguments ${[...flags.map(spec), rootFlags].join(" ")}${said} ;;`;
    }),
    "      esac ;;",
    "  esac",
    "}",
    "compdef _aftersale aftersale",
  ].join("\n");
}

function fish({ root, commands }: Tree): string {
  const option = (condition: string, { flag, description, takesValue, values, takesFile }: Flag): string =>
    [
      `complete -c aftersale${condition} -l ${flag.slice(2)}`,
      ...(takesFile ? ["-r -F"] : takesValue ? ["-x"] : []),
      ...(values === undefined ? [] : [`-a ${quoted(values.join(" "))}`]),
      `-d ${quoted(description)}`,
    ].join(" ");
  return [
    "complete -c aftersale -f",
    ...root.flags.map((flag) => option("", flag)),
    ...commands.flatMap(({ name, description, flags, values }) => {
      const inside = ` -n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
      return [
        `complete -c aftersale -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
        ...flags.map((flag) => option(inside, flag)),
        ...(values.length === 0 ? [] : [`complete -c aftersale${inside} -a ${quoted(values.join(" "))}`]),
      ];
    }),
  ].join("\n");
}

const scripts: Readonly<Record<(typeof shells)[number], (tree: Tree) => string>> = { bash, zsh, fish };
