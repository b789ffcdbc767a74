/** The command line: every command with its options and help. Parsing only; what commands do is beside this file. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import * as decisions from "../hub/decisions.ts";
import type { Entity } from "../model/field.ts";
import { conflictKinds } from "../model/world.ts";
import { roles, scopes } from "../security/roles.ts";
import { levels } from "../watch/event-lines.ts";
import { listAlertsCommand, testAlertsCommand } from "./alerts.ts";
import { check, init } from "./check.ts";
import { type Cli, exit, type Global } from "./cli.ts";
import { listConflictsCommand, type ResolveOptions, resolveConflict, showConflict, undoConflict } from "./conflicts.ts";
import { pauseCommand, removeCommand, renameCommand, replayCallsCommand } from "./connections.ts";
import { printJson, wordsOf } from "./context.ts";
import { explainCommand, listCommand, searchCommand, showCommand } from "./customers.ts";
import { decide, setCommand } from "./decide.ts";
import { exportCommand } from "./export.ts";
import { type CreateKeyOptions, createKeyCommand, listKeysCommand, revokeKeyCommand } from "./keys.ts";
import {
  auditVerify,
  connectionsCommand,
  listDeadLettersCommand,
  replayCommand,
  replayLogCommand,
} from "./operations.ts";
import { applyCommand, planCommand } from "./plan.ts";
import { policyApply, policyPlan } from "./policy.ts";
import { sandboxCommand } from "./sandbox.ts";
import type { ServeOptions } from "./serve.ts";
import { type SimulateOptions, simulateCommand } from "./simulate.ts";
import { copyStoreCommand } from "./store.ts";
import { syncCommand } from "./sync.ts";
import { type UndoOptions, undoCommand } from "./undo.ts";

/** What listens is loaded only by the commands that need it: the others begin sooner. */
const serve = () => import("./serve.ts");

/** A command that is not part of the core, such as the demo. */
export interface ExtraCommand {
  readonly name: string;
  readonly description: string;
  readonly options: ReadonlyArray<{ readonly flags: string; readonly description: string }>;
  readonly run: (cli: Cli, options: Readonly<Record<string, unknown>> & { readonly json: boolean }) => Promise<number>;
}

const limitDefault = 50;
const limitMax = 10_000;

const positive =
  (max: number) =>
  (text: string): number => {
    const number = Number(text);
    if (!Number.isInteger(number) || number < 1 || number > max) {
      throw new InvalidArgumentError(`Give a whole number from 1 to ${max}.`);
    }
    return number;
  };

const listOf = (text: string): ReadonlyArray<string> =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** Runs one command line; returns the exit code. Nothing is thrown. */
export async function runCli(
  cli: Cli,
  argv: ReadonlyArray<string>,
  extras: ReadonlyArray<ExtraCommand> = [],
): Promise<number> {
  let code: number = exit.ok;
  const program = programFor(cli, extras, async (work) => {
    code = await work;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exit.ok;
      const message = error.message.replace(/^error: /, "");
      if (argv.includes("--json")) await printJson(cli, { error: { message, remedy: "See --help." } });
      return exit.usage;
    }
    if (cli.signal.aborted) return exit.failed;
    const { message, remedy, code: failed } = wordsOf(error);
    if (argv.includes("--json")) await printJson(cli, { error: { message, remedy } });
    else cli.err(`error: ${message.trimEnd()}\n${remedy === "" ? "" : `  ${remedy}\n`}`);
    return failed;
  }
}

function programFor(
  cli: Cli,
  extras: ReadonlyArray<ExtraCommand>,
  ran: (work: Promise<number>) => Promise<void>,
): Command {
  const program = new Command("syncline")
    .description("Keeps customer accounts the same in every CRM. 让每个 CRM 里的客户资料保持一致。")
    .option("-c, --config <file>", "the YAML", "syncline.yaml")
    .option("--json", "print one JSON object instead of text", false)
    .showSuggestionAfterError()
    .showHelpAfterError("(see --help)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void cli.out(text),
      writeErr: (text) => cli.err(text),
      getOutHelpWidth: () => cli.columns,
      getErrHelpWidth: () => cli.columns,
    })
    .addHelpText(
      "after",
      `\nExit codes: 0 all good, 1 something failed, 2 wrong usage or configuration, 3 something waits: a connection, a brake, or a create without an answer.`,
    );
  const global = (): Global => program.opts<{ config: string; json: boolean }>();

  /** A subcommand that takes --config and --json behind its name too. */
  const command = (parent: Command, name: string, description: string): Command => {
    const made = parent.command(name).description(description);
    made
      .addOption(new Option("-c, --config <file>", "the YAML").hideHelp())
      .addOption(new Option("--json", "print one JSON object"));
    made.hook("preAction", (_, acting) => {
      const { config, json } = acting.opts<{ config?: string; json?: boolean }>();
      if (config !== undefined) program.setOptionValue("config", config);
      if (json === true) program.setOptionValue("json", true);
    });
    return made;
  };

  command(program, "init", "write an example configuration and its JSON Schema").action(() => ran(init(cli, global())));

  command(program, "check", "find everything that is wrong with the configuration and the systems")
    .option("--offline", "look at the file only", false)
    .action((options) => ran(check(cli, global(), options)));

  command(program, "plan [connections...]", "show what a sync would write; write nothing")
    .option("--full", "read everything, not only what changed", false)
    .option("--limit <n>", "writes to list", positive(limitMax), limitDefault)
    .option("-o, --output <file>", "keep the plan in a file, sealed, for `apply`")
    .action((names, options) => ran(planCommand(cli, global(), names, options)));

  command(program, "apply <plan>", "carry out a plan file: these writes and no others, while nothing has moved").action(
    (file) => ran(applyCommand(cli, global(), file)),
  );

  command(program, "sync [connections...]", "pull, apply and push, once")
    .option("--full", "sweep: read everything again and find what was missed", false)
    .action((names, options) => ran(syncCommand(cli, global(), names, options)));

  command(program, "serve", "keep going: take webhooks, follow the schedules, answer the API")
    .addOption(
      new Option("--log-level <level>", "how much is logged; SYNCLINE_LOG or info without").choices([...levels]),
    )
    .action((options: ServeOptions) => ran(serve().then(({ serveCommand }) => serveCommand(cli, global(), options))));
  command(program, "stop", "stop the hub that runs on this store").action(() =>
    ran(serve().then(({ stopCommand }) => stopCommand(cli, global()))),
  );
  command(program, "reload", "make the running hub read the YAML again").action(() =>
    ran(serve().then(({ reloadCommand }) => reloadCommand(cli, global()))),
  );

  const connections = command(program, "connections", "list the connections and their state").action(() =>
    ran(connectionsCommand(cli, global())),
  );
  command(connections, "pause <name>", "stop reading from and writing to one; its webhook calls are kept").action(
    (name) => ran(pauseCommand(cli, global(), name, true)),
  );
  command(connections, "resume <name>", "let it go on").action((name) => ran(pauseCommand(cli, global(), name, false)));
  command(connections, "rename <old> <new>", "let links and cursors follow a name that was changed in the YAML").action(
    (from, to) => ran(renameCommand(cli, global(), from, to)),
  );
  command(connections, "remove <name>", "take a connection that is gone from the YAML out of the store")
    .option("--yes", "do it; without, it is only shown", false)
    .action((name, options) => ran(removeCommand(cli, global(), name, options)));
  command(connections, "replay <name>", "read the webhook calls that were kept (seven days) again")
    .option("--since <time>", "only those received since then")
    .action((name, options) => ran(replayCallsCommand(cli, global(), name, options)));

  for (const entity of ["account", "contact"] as const) customers(command, program, entity, cli, global, ran);

  command(program, "explain <id> [field]", "tell why a value is what it is: sources, rules, history").action(
    (id, field) => ran(explainCommand(cli, global(), id, field)),
  );

  conflicts(command, program, cli, global, ran);

  const letters = program.command("dead-letters").description("what will not succeed alone");
  command(letters, "list", "list them with their remedies")
    .option("--all", "closed ones too", false)
    .option("--connection <name>", "only of this connection")
    .option("--limit <n>", "rows to show", positive(limitMax), limitDefault)
    .action((options) => ran(listDeadLettersCommand(cli, global(), options)));
  command(letters, "replay [ids...]", "try them again at the next sync (all open ones without ids)")
    .option("--connection <name>", "only of this connection")
    .action((ids, options) => ran(replayCommand(cli, global(), ids, options)));

  command(program, "export", "write the unified customers as CSV or JSONL")
    .addOption(new Option("--entity <entity>", "account or contact").choices(["account", "contact"]).default("account"))
    .addOption(new Option("--format <format>", "file format").choices([...cli.registry.encoders.keys()]).default("csv"))
    .option("-o, --output <file>", "a file; standard output without (then not with --json)")
    .option("--fields <names>", "only these fields, with commas between", listOf)
    .action((options) => ran(exportCommand(cli, global(), options)));

  const policy = program.command("policy").description("what the policy of today would decide about the past");
  command(policy, "plan", "list settled fields whose winner would differ; change nothing")
    .option("--limit <n>", "rows to show", positive(limitMax), limitDefault)
    .action((options) => ran(policyPlan(cli, global(), options)));
  command(policy, "apply", "make them edits of yours")
    .option("--beyond-brake", "also where many customers would change", false)
    .action((options) => ran(policyApply(cli, global(), options)));

  const alerts = program.command("alerts").description("what people are told of while the hub runs");
  command(alerts, "list", "list what is wrong by the rules of the YAML")
    .option("--all", "what is over too", false)
    .action((options) => ran(listAlertsCommand(cli, global(), options)));
  command(alerts, "test [channel]", "send a test message through every channel, or one").action((channel) =>
    ran(testAlertsCommand(cli, global(), channel)),
  );

  const audit = program.command("audit").description("the log of who did what");
  command(audit, "verify", "check that no entry was changed, removed or added").action(() =>
    ran(auditVerify(cli, global())),
  );

  command(program, "simulate", "tell what the YAML named by --config would have decided and would write; keep nothing")
    .option("--since <time>", "only decisions since then")
    .option("--limit <n>", "decisions to list", positive(limitMax), limitDefault)
    .action((options: SimulateOptions) => ran(simulateCommand(cli, global(), options)));

  command(program, "undo <what>", "take back what a run (run_…) or one change (its number in `explain`) did")
    .option("--yes", "do it; without, what it would touch is only shown", false)
    .option("--limit <n>", "changes to list", positive(limitMax), limitDefault)
    .action((what, options: UndoOptions) => ran(undoCommand(cli, global(), what, options)));

  command(program, "replay", "fold the log of all changes again, and compare it with what the store holds")
    .addOption(new Option("--verify", "change nothing; tell what differs").makeOptionMandatory())
    .action(() => ran(replayLogCommand(cli, global())));

  keys(command, program, cli, global, ran);

  const store = program.command("store").description("where the hub keeps its data");
  command(
    store,
    "copy <from> <to>",
    "copy a store into an empty file or database, such as sqlite:data/hub.db postgres://…",
  ).action((from, to) => ran(copyStoreCommand(cli, global(), { from, to })));

  command(program, "sandbox", "start simulated vendors with seeded data on loopback ports")
    .option("--only <systems>", "such as zoho, or zoho,fxiaoke")
    .option("--port <n>", "the first port", positive(65_535))
    .option("--faults <file>", "a YAML plan of faults to inject")
    .option("--hub <url>", "where your hub listens: the vendors call it when something changes")
    .option("--seed <n>", "another seed gives other data", positive(1_000_000_000), 1)
    .action((options) => ran(sandboxCommand(cli, global(), options)));

  for (const extra of extras) {
    const made = command(program, extra.name, extra.description);
    for (const { flags, description } of extra.options) made.option(flags, description);
    made.action((options) => ran(extra.run(cli, { ...options, json: global().json })));
  }
  return program;
}

type MakeCommand = (parent: Command, name: string, description: string) => Command;
type Ran = (work: Promise<number>) => Promise<void>;

function customers(
  command: MakeCommand,
  program: Command,
  entity: Entity,
  cli: Cli,
  global: () => Global,
  ran: Ran,
): void {
  const group = program.command(`${entity}s`).description(`the unified ${entity}s`);
  command(group, "list", "list them in the order in which they came")
    .option("--limit <n>", "rows to show", positive(limitMax), limitDefault)
    .option("--after <id>", "go on after this one")
    .action((options) => ran(listCommand(cli, global(), entity, options)));
  command(group, "show <id>", "show one with its sources").action((id) => ran(showCommand(cli, global(), entity, id)));
  command(
    group,
    "search <text>",
    entity === "account"
      ? "by id or key exactly, or by a part of the name"
      : "by id or key exactly, or by whole words of the name",
  ).action((text) => ran(searchCommand(cli, global(), entity, text)));
  const by = cli.actor;
  command(group, "set <id> <field> <value>", "a person's value; an empty one with ''")
    .option("--hold", "keep it against later edits too, until it is released", false)
    .action((id, field, value, { hold }) => ran(setCommand(cli, global(), entity, { id, field, value, hold })));
  command(group, "release <id> <field>", "end a hold").action((id, field) =>
    ran(decide(cli, global(), "Released.", (hub) => decisions.release(hub, by, { id, field }))),
  );
  command(group, "merge <survivor> <absorbed>", "the two are one").action((survivor, absorbed) =>
    ran(decide(cli, global(), "Merged.", (hub) => decisions.merge(hub, by, { survivor, absorbed }))),
  );
  command(group, "unmerge <survivor> <absorbed>", "take a merge apart").action((survivor, absorbed) =>
    ran(decide(cli, global(), "Taken apart.", (hub) => decisions.unmerge(hub, by, { survivor, absorbed }))),
  );
  command(group, "unlink <connection> <record>", "let a record go its own way").action((connection, remoteId) =>
    ran(decide(cli, global(), "Unlinked.", (hub) => decisions.unlink(hub, by, { entity, connection, remoteId }))),
  );
  command(
    group,
    "link <connection> <record> [id]",
    "a record belongs to this one, or without id to one of its own",
  ).action((connection, remoteId, id: string | undefined) =>
    ran(
      decide(cli, global(), "Linked.", (hub) => decisions.link(hub, by, { entity, connection, remoteId }, id ?? null)),
    ),
  );
  command(group, "restore <id>", "bring a deleted one back")
    .option("--connection <name>", "only there")
    .action((id, options) =>
      ran(decide(cli, global(), "Restored.", (hub) => decisions.restore(hub, by, { id, ...options }))),
    );
}

function conflicts(command: MakeCommand, program: Command, cli: Cli, global: () => Global, ran: Ran): void {
  const group = program.command("conflicts").description("what systems disagree on, and what a person must decide");
  command(group, "list", "list the open ones")
    .option("--all", "settled ones too", false)
    .option("--connection <name>", "only about records of this connection")
    .option("--field <name>", "only about this field")
    .addOption(new Option("--kind <kind>", "only of this kind").choices([...conflictKinds]))
    .option("--limit <n>", "rows to show", positive(limitMax), limitDefault)
    .action((options) => ran(listConflictsCommand(cli, global(), options)));
  command(group, "show <id>", "show one with all candidates").action((id) => ran(showConflict(cli, global(), id)));
  command(group, "resolve <id>", "answer an open one")
    .option("--take <connection>", "take the value of this source")
    .option("--value <value>", "take another value")
    .option("--empty", "take the empty value")
    .option("--hold", "keep the value against later edits too, until it is released")
    .option("--link <id>", "the record belongs to this account or contact")
    .option("--separate", "the record is an account or contact of its own")
    .option("--merge", "the record is the same as the one that is there")
    .option("--merged", "the deleted record was merged")
    .option("--deleted", "it was deleted on purpose")
    .option("--keep", "keep it")
    .option(
      "--shown <time>",
      "refuse if the row has changed since; `conflicts show` prints it",
      positive(Number.MAX_SAFE_INTEGER),
    )
    .option("--release", "let the held changes through")
    .option("--reject", "overrule the held changes")
    .action((id: string, options: ResolveOptions) => ran(resolveConflict(cli, global(), id, options)));
  command(group, "undo <id>", "take a decision back (con_…), or all fills of a run (run_…)").action((id) =>
    ran(undoConflict(cli, global(), id)),
  );
}

const lifeDefault = "90d";

function keys(command: MakeCommand, program: Command, cli: Cli, global: () => Global, ran: Ran): void {
  const group = program.command("keys").description("who may use the HTTP API");
  command(group, "create <name>", "make a key for somebody; it is shown this once")
    .addOption(new Option("--role <role>", "what it may").choices([...roles]).makeOptionMandatory())
    .addOption(new Option("--scopes <scopes...>", "more beside the role").choices([...scopes]).default([], "none"))
    .option("--connection <name>", "what a provisioner pushes into")
    .option("--expires <time>", "how long it lasts, such as 12h or 90d, or never", lifeDefault)
    .action((name: string, options: CreateKeyOptions) => ran(createKeyCommand(cli, global(), name, options)));
  command(group, "list", "list them; the keys themselves are not kept").action(() =>
    ran(listKeysCommand(cli, global())),
  );
  command(group, "revoke <id>", "end one now").action((id: string) => ran(revokeKeyCommand(cli, global(), id)));
}
