/**
 * Preloaded into a server by the soak, with `--expose-gc`: collects garbage when the parent process asks, and tells it what is left.
 */
process.on("message", () => {
  globalThis.gc?.()
  const { arrayBuffers, external, heapUsed } = process.memoryUsage()
  process.send?.({ heapBytes: heapUsed, externalBytes: external + arrayBuffers })
})
// The server ends when it is told to, not when its parent hangs up.
process.channel?.unref()
