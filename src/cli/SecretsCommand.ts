/**
 * `realms secrets rotate`: seals every stored secret again with a new key. With a key file it makes the new key first. With
 * `REALMS_MASTER_KEY` the new key is the first one given there, and the servers have been started with it already.
 */
import { Effect, type Layer } from "effect"
import { Command } from "effect/cli"
import { SqlClient } from "effect/sql"
import { cliActor } from "../platform/AuditLog.ts"
import { SecretBox } from "../platform/SecretBox.ts"
import { resealAll } from "../settings/SealedRows.ts"
import { print } from "./Output.ts"

const rotate = Command.make("rotate", {}, () =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const box = yield* SecretBox
    const isNew = yield* box.renew
    const secrets = yield* resealAll(sql, box, cliActor)
    const [keyId = ""] = yield* box.keyIds
    const advice = isNew
      ? `The new key is the first line of ${box.source}; the older ones open backups only. Copy the file to other servers ` +
        "that have a data_dir of their own."
      : "Older keys in REALMS_MASTER_KEY open backups only, and can be taken out."
    yield* print(
      { secrets, key_id: keyId, source: box.source },
      `${secrets} secrets are sealed by key ${keyId === "" ? "(none)" : keyId}. ${advice}`
    )
  })).pipe(Command.withDescription("Encrypt every stored secret again with the newest master key"))

/** `services` are built for a command that runs, not for help about it. */
export const secretsCommand = <E, R>(services: Layer.Layer<SecretBox | SqlClient.SqlClient, E, R>) =>
  Command.make("secrets").pipe(
    Command.withDescription("Manage the secrets that are stored in the database"),
    Command.withSubcommands([rotate.pipe(Command.provide(services))])
  )
