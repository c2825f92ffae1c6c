/** `realms restore <file>`: a backup into an empty `data_dir`, and the ledger check over what came out of it. */
import { Console, Effect, type Layer } from "effect"
import { Argument, Command } from "effect/cli"
import { restore } from "../backup/Restore.ts"
import type { AppConfig } from "../config/Config.ts"
import { PostgresLayer } from "../postgres/PostgresLayer.ts"
import { runAudit } from "./AuditCommand.ts"
import { failed } from "./CliFailure.ts"
import { switchFlag } from "./Parameters.ts"
import { byteProgress } from "./Progress.ts"

const flags = {
  file: Argument.String("file").pipe(Argument.withDescription("A file that `realms backup` wrote")),
  withoutKey: switchFlag("without-key", "Restore although the master key that seals the secrets is not at hand")
}

const run = Effect.fnUntraced(function*(asked: Command.Command.Config.Infer<typeof flags>) {
  const { dataDir, document, missingKeyIds } = yield* restore({
    path: asked.file,
    withoutKey: asked.withoutKey,
    onProgress: yield* byteProgress("restore"),
    onStage: Console.error
  })
  yield* Console.error(
    `restored into ${dataDir}: what was committed on ${document.takenAt} and while the backup was taken. Ledger check:`
  )
  if (missingKeyIds.length > 0) {
    yield* Console.error(`The server does not start without the master key ${missingKeyIds.join(", ")}.`)
  }
  // Built now, not before: there was no database to migrate.
  yield* runAudit.pipe(
    Effect.provide(PostgresLayer),
    Effect.mapError((error) =>
      failed(
        `the files are restored into ${dataDir}, and the ledger check did not pass: do not serve from it before that is ` +
          `understood (\`realms audit\` repeats it). ${error.message}`
      )
    )
  )
})

export const restoreCommand = <E, R>(config: Layer.Layer<AppConfig, E, R>) =>
  Command.make("restore", flags, run).pipe(
    Command.provide(config),
    Command.withDescription("Restore a backup into an empty data_dir, and check its ledger"),
    Command.withExamples([{ command: "realms restore /mnt/backups/realms.tar" }])
  )
