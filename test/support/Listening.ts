/** An HTTP server of a test's own on a free port, as long as the scope. */
import { Effect } from "effect"
import type { RequestListener } from "node:http"
import { acquireSimulator, listen } from "../../simulators/http/SimulatorServer.ts"

export const listening = (listener: RequestListener) => Effect.orDie(acquireSimulator(() => listen({}, () => listener)))
