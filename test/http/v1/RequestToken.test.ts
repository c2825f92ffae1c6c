import { assert, describe, it } from "@effect/vitest"
import { IncomingMessage } from "node:http"
import { Socket } from "node:net"
import { tokenOf } from "../../../src/http/v1/RequestToken.ts"

const requestOf = (headers: Readonly<Record<string, string>>): IncomingMessage =>
  Object.assign(new IncomingMessage(new Socket()), { headers })

describe("tokenOf", () => {
  const table: ReadonlyArray<readonly [headers: Readonly<Record<string, string>>, token: string | undefined]> = [
    [{}, undefined],
    [{ authorization: "Bearer sk-1" }, "sk-1"],
    [{ authorization: "bearer   sk-1 " }, "sk-1"],
    [{ authorization: "Bearer " }, undefined],
    [{ authorization: "Bearer a b" }, undefined],
    [{ authorization: "Basic eDp5" }, undefined],
    [{ "x-api-key": "sk-2" }, "sk-2"],
    [{ "api-key": "sk-3" }, "sk-3"],
    [{ "x-api-key": "", "api-key": "sk-3" }, "sk-3"],
    [{ "x-api-key": "sk-2", "api-key": "sk-3" }, "sk-2"],
    [{ authorization: "Bearer sk-1", "x-api-key": "sk-2", "api-key": "sk-3" }, "sk-1"],
    [{ authorization: "Basic eDp5", "api-key": "sk-3" }, "sk-3"]
  ]
  it.each(table)("%o has %s", (headers, token) => {
    assert.strictEqual(tokenOf(requestOf(headers)), token)
  })
})
