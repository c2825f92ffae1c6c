/**
 * `node bench/pages.ts`, after a build: how long the server takes for each page of a user with 100,000 calls and 10,000 ledger
 * entries, beside what a plain answer takes in the same run, and how many bytes a browser needs before it can paint; then root's lists
 * of 10,000 payments, changes and batches of codes. `BENCH_CALLS`, `BENCH_ROWS` (calls of others) and `BENCH_ROUNDS` change its size.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import type { ApiKeyId, UserId } from "../src/domain/Ids.ts"
import { writeHistory } from "../test/support/UsageHistory.ts"
import { inDatabase } from "./database.ts"
import { ask, measurePage, signIn } from "./pageClient.ts"
import { writePastCalls } from "./pastCalls.ts"

const CALLS = Number(process.env["BENCH_CALLS"] ?? "100000")
const ROWS = Number(process.env["BENCH_ROWS"] ?? "0")
const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? "60")
/** Of the user's ledger. */
const ENTRIES = 10_000
/** Users whose rows those are. */
const OTHERS = 1_000
const PASSWORD = "correct horse battery"
const EMAIL = "bench@example.com"
const ROOT_EMAIL = "root@example.com"
/** Rows of each of root's lists. */
const LISTED = 10_000
const root = join(import.meta.dirname, "..")
const entry = join(root, "dist/main.js")
const folder = mkdtempSync(join(tmpdir(), "realms-pages-"))
// As root, PostgreSQL runs as somebody else, who has to get there.
chmodSync(folder, 0o755)

const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** What a page makes a browser load before it paints: styles and the script in the head that is not deferred. */
const assetsOf = async (origin: string, cookie: string): Promise<number> => {
  const page = gunzipSync((await ask(`${origin}/`, { cookie })).body).toString()
  const paths = [...page.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map((match) => match[1] ?? "")
  const answers = await Promise.all([...new Set(paths)].map((path) => ask(`${origin}${path}`)))
  return answers.reduce((sum, { body }) => sum + body.length, 0)
}

let server: ChildProcess | undefined
try {
  const config = join(folder, "config.yaml")
  writeFileSync(
    config,
    `server: { port: 0 }
data_dir: ${join(folder, "data")}
log: { format: json, level: info }
models: [{ id: gpt-4o-mini, input_usd_per_1m: "0.15", output_usd_per_1m: "0.60", max_output_tokens: 1000 }]
plans: [{ code: basic, name: Basic, price_cny: "12.00", duration_days: 30, limit_5h_usd: "6" }]
`
  )
  const env = { ...process.env, REALMS_CONFIG: config }
  say("starting Realms on a fresh embedded PostgreSQL ...")
  const started = spawn(process.execPath, [entry, "serve"], { env, stdio: ["ignore", "pipe", "pipe"] })
  server = started
  const origin = await new Promise<string>((resolve, reject) => {
    let seen = ""
    const look = (piece: Buffer) => {
      seen += piece.toString()
      const found = /listening on (http:\/\/[\d.]+:\d+)/.exec(seen)?.[1]
      if (found !== undefined) resolve(found)
    }
    started.stdout.on("data", look)
    started.stderr.on("data", look)
    started.once("exit", () => reject(new Error(seen)))
  })
  for (const [email, role] of [[EMAIL, "user"], [ROOT_EMAIL, "root"]] as const) {
    execFileSync(process.execPath, [entry, "user", "create", "--email", email, "--role", role, "--password-stdin"], {
      env,
      input: PASSWORD,
      stdio: ["pipe", "ignore", "inherit"]
    })
  }
  execFileSync(process.execPath, [entry, "key", "create", "--user", EMAIL], {
    env,
    stdio: ["ignore", "ignore", "inherit"]
  })

  say(`writing ${CALLS} calls ...`)
  await seed(join(folder, "data"))

  const cookie = await signIn(origin, { email: EMAIL, password: PASSWORD })
  const rootCookie = await signIn(origin, { email: ROOT_EMAIL, password: PASSWORD })

  const assets = await assetsOf(origin, cookie)
  const floor = await measurePage(`${origin}/healthz`, { cookie, rounds: ROUNDS })
  const rows: Array<object> = []
  const rootPaths = [
    "/admin/payments",
    "/admin/payments?state=refunded",
    "/admin/payments?user=none%40example.com",
    "/admin/payments?view=review",
    "/admin/payments?view=events",
    "/admin/audit",
    "/admin/audit?action=model",
    "/admin/codes",
    "/admin/codes?state=used",
    "/admin/statements"
  ]
  for (
    const path of [
      "/",
      "/usage",
      "/usage?range=90d",
      "/usage?model=none",
      "/usage?state=voided",
      "/usage?state=refused",
      "/usage?range=today",
      "/ledger",
      "/usage/days.svg?range=30d",
      "/keys",
      "/topup",
      "/subscription",
      "/orders",
      "/models",
      "/account",
      ...rootPaths
    ]
  ) {
    const { bytes, p50, p95, status } = await measurePage(`${origin}${path}`, {
      cookie: path.startsWith("/admin") ? rootCookie : cookie,
      rounds: ROUNDS
    })
    rows.push({
      page: path,
      status,
      "p50 ms": Number(p50.toFixed(1)),
      "p95 ms": Number(p95.toFixed(1)),
      "times /healthz": Number((p50 / floor.p50).toFixed(1)),
      "page bytes": bytes,
      "first paint kB": Number(((bytes + assets) / 1_000).toFixed(1))
    })
  }
  process.stdout.write(`${rows.map((row) => JSON.stringify(row)).join("\n")}\ndone\n`)
} finally {
  const running = server
  if (running !== undefined && running.exitCode === null) {
    const ended = new Promise((resolve) => running.once("exit", resolve))
    running.kill("SIGTERM")
    await ended
  }
  rmSync(folder, { recursive: true, force: true })
}

/** Writes the history and folds it, as the server would have done in the course of a month. */
function seed(dataDir: string): Promise<void> {
  return inDatabase(dataDir, (sql) =>
    Effect.gen(function*() {
      const [user] = yield* sql<{ id: UserId; key_id: ApiKeyId }>`
        SELECT u.id, k.id AS key_id FROM users u JOIN api_keys k ON k.user_id = u.id WHERE u.email = ${EMAIL}`
      if (user === undefined) return yield* Effect.die(new Error("no user"))
      const others = yield* sql<{ id: UserId }>`INSERT INTO users (email)
        SELECT 'other' || i || '@example.com' FROM generate_series(1, ${OTHERS}::integer) i RETURNING id`
      const firstUser = others[0]?.id ?? user.id
      yield* writePastCalls(sql, { from: 0, to: ROWS, total: ROWS, firstUser, users: OTHERS, say })
      yield* writeHistory(sql, { userId: user.id, keyId: user.key_id, calls: CALLS, days: 30 })
      let passed = 1
      while (passed > 0) {
        const [row] = yield* sql<{ passed: number }>`SELECT realms_fold_usage_v1(${user.id}, 180000, 10000) AS passed`
        passed = row?.passed ?? 0
      }
      yield* sql`INSERT INTO refused_calls (user_id, id, at, model, endpoint, status, code)
        SELECT ${user.id}, (substr(realms_uuid_at_v1((extract(epoch FROM now()) * 1000)::bigint - i * 1000)::text, 1, 24) || lpad(to_hex(i), 12, '0'))::uuid,
            now() - make_interval(secs => i), 'gpt-4o-mini', 'responses', 429, 'rate_limit_exceeded'
          FROM generate_series(1, 1000) i`
      yield* sql`INSERT INTO ledger_entries (user_id, seq, kind, amount_micros, usd_after, owed_after, ref_type, ref_id, actor)
        SELECT ${user.id}, i, 'redemption', 10, i * 7, 0, 'redemption', 'bench-' || i, 'system'
          FROM generate_series(1, ${ENTRIES}::integer) i`
      yield* seedLists(sql, user.id)
      yield* sql`VACUUM ANALYZE usage_events`
      yield* sql`VACUUM ANALYZE usage_hours`
      // As autovacuum would within seconds.
      yield* sql`ANALYZE`
    }))
}

/** What root's lists show: paid orders with their payments and events, changes, and batches of codes. */
function seedLists(sql: SqlClient.SqlClient, userId: UserId) {
  return Effect.gen(function*() {
    yield* sql`
      WITH orders AS (INSERT INTO topup_orders (user_id, amount_fen, credit_micros, credit_usd_per_cny, state, expires_at,
          settled_at) SELECT ${userId}::bigint, 1000, 1400000, '0.14', 'paid', now(), now()
          FROM generate_series(1, ${LISTED}::integer) RETURNING id),
        attempts AS (INSERT INTO payment_attempts (order_kind, order_id, provider, method, amount_minor, currency,
          merchant_reference, payment_reference, state) SELECT 'topup', id, 'epay', 'alipay', 1000, 'cny', 'topup_' || id || '_x',
          'T' || id, 'paid' FROM orders RETURNING id, order_id),
        payments AS (INSERT INTO payments (provider, payment_id, state, paid_minor, currency, attempt_id, credited_user_id,
          credited_micros) SELECT 'epay', 'T' || order_id, 'fulfilled', 1000, 'cny', id, ${userId}::bigint, 1400000
          FROM attempts RETURNING id, payment_id, attempt_id)
      INSERT INTO payment_events (provider, event_key, kind, fact, payment_id, payment_reference, attempt_id, amount_minor,
          currency, outcome) SELECT 'epay', payment_id, 'TRADE_SUCCESS', 'Paid', id, payment_id, attempt_id, 1000, 'cny',
          'applied' FROM payments`
    yield* sql`INSERT INTO audit_log (actor, action, target, before, after)
      SELECT 'cli', 'plan.changed', 'plan:' || i, '{"price_fen": "1200"}', '{"price_fen": "1500"}'
        FROM generate_series(1, ${LISTED}::integer) i`
    yield* sql`
      WITH batches AS (INSERT INTO redemption_batches (name, kind, usd_micros, codes, uses_max, codes_sealed, key_id)
        SELECT 'batch ' || i, 'balance', 1000000, 1, 1, '\\x00', 'none' FROM generate_series(1, ${LISTED}::integer) i
        RETURNING id)
      INSERT INTO redemption_codes (batch_id, code_hash, hint, uses_max) SELECT id, sha256(id::text::bytea), 'ABCDE', 1 FROM batches`
  })
}
