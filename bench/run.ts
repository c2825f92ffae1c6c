/**
 * `npm run bench`: the upstream alone, a bare Node proxy before it, and Realms with billing on, in one run, so that the ratios
 * say something on any machine. `BENCH_SECONDS` and `BENCH_CONNECTIONS` change its size; the audit has to be clean after it.
 */
import { CONNECTIONS, endAll, type Figures, keyOf, load, SECONDS, startRealms, startScript } from "./servers.ts"

const say = (text: string): void => void process.stderr.write(`${text}\n`)

try {
  const upstreamOrigin = await startScript("upstream.ts")
  const bareOrigin = await startScript("bareProxy.ts", upstreamOrigin)
  say("starting Realms on a fresh embedded PostgreSQL ...")
  const realms = await startRealms(upstreamOrigin)
  const own = keyOf(realms, "bench@example.com", "100000")
  const rows: Array<Record<string, string | number>> = []
  for (const stream of [false, true]) {
    const measured: Record<string, Figures> = {}
    for (
      const [name, origin, key] of [
        ["upstream", upstreamOrigin, "x"],
        ["bare proxy", bareOrigin, "x"],
        ["realms", realms.origin, own]
      ] as const
    ) {
      say(`measuring ${name}, ${stream ? "streams" : "JSON"}, ${CONNECTIONS} connections, ${SECONDS} s ...`)
      await load({ origin, key, stream })
      measured[name] = await load({ origin, key, stream })
    }
    const floor = measured["bare proxy"]?.callsPerSecond ?? 1
    for (const [name, figures] of Object.entries(measured)) {
      rows.push({
        kind: stream ? "stream" : "json",
        target: name,
        "calls/s": Math.round(figures.callsPerSecond),
        "of bare proxy": Number((figures.callsPerSecond / floor).toFixed(3)),
        "first byte p50 ms": Number(figures.firstByteP50Ms.toFixed(2)),
        "first byte p99 ms": Number(figures.firstByteP99Ms.toFixed(2)),
        failed: figures.failed
      })
    }
  }
  process.stdout.write(`${rows.map((row) => JSON.stringify(row)).join("\n")}\n`)
  process.stdout.write(`${realms.command("audit")}\n`)
} finally {
  await endAll()
}
