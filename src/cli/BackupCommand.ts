/** `realms backup [file]`: a backup of the installation with the embedded database, while it runs or not. */
import { Clock, Console, DateTime, Effect, type Layer, Option } from "effect"
import { Argument, Command } from "effect/cli"
import { backup } from "../backup/Backup.ts"
import type { AppConfig } from "../config/Config.ts"
import { counted, print } from "./Output.ts"
import { switchFlag } from "./Parameters.ts"
import { byteProgress, bytesText } from "./Progress.ts"

const flags = {
  file: Argument.String("file").pipe(
    Argument.withDescription("Where it is written; else realms-<time>.tar in this folder"),
    Argument.optional
  ),
  withKey: switchFlag(
    "with-key",
    "Put the master key file into the backup: anybody who has it can open every secret then"
  ),
  force: switchFlag("force", "Replace the file if there is one")
}

/** `realms-20261130-101500.tar`, in UTC. */
export const backupName = (ms: number): string =>
  `realms-${DateTime.formatIso(DateTime.makeUnsafe(ms)).slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}.tar`

const keyAdvice = (keyIds: ReadonlyArray<string>, withKey: boolean): string => {
  if (withKey) return "It has the master key: keep it like the key."
  if (keyIds.length === 0) return "Nothing in it is sealed, so no master key is needed."
  return `It does not have the master key ${keyIds.join(", ")}, which its secrets need: keep that elsewhere.`
}

const run = Effect.fnUntraced(function*(asked: Command.Command.Config.Infer<typeof flags>) {
  const nowMs = yield* Clock.currentTimeMillis
  const path = Option.getOrElse(asked.file, () => backupName(nowMs))
  const taken = yield* backup({
    path,
    force: asked.force,
    withKey: asked.withKey,
    onProgress: yield* byteProgress("backup"),
    onUnfinished: (file) => Console.error(`${file} was not finished: remove it, unless a backup is writing it now.`)
  })
  const waiting = taken.settlements === 0
    ? ""
    : ` ${counted(taken.settlements, "settlement")} that waited in outbox files are in it.`
  yield* print(
    {
      file: taken.path,
      bytes: taken.bytes,
      key_ids: taken.keyIds,
      with_key: taken.withKey,
      settlements: taken.settlements
    },
    `${taken.path}: ${bytesText(taken.bytes)}, checked.${waiting} ${keyAdvice(taken.keyIds, taken.withKey)}`
  )
})

export const backupCommand = <E, R>(config: Layer.Layer<AppConfig, E, R>) =>
  Command.make("backup", flags, run).pipe(
    Command.provide(config),
    Command.withDescription(
      "Back up the embedded database while servers run, or not. The file has all data, and no master key unless asked"
    ),
    Command.withExamples([{ command: "realms backup /mnt/backups/realms.tar --force" }])
  )
