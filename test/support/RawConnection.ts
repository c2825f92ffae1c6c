/**
 * A bare connection to a server, for clients that no HTTP library would be: half a request, a byte at a time, silence.
 */
import { connect, type Socket } from "node:net"

export class RawConnection {
  /** What the server has sent. */
  text = ""
  /** The server has closed, or reset, the connection. */
  closed = false
  private readonly socket: Socket

  constructor(origin: string) {
    const { hostname, port } = new URL(origin)
    this.socket = connect(Number(port), hostname)
    this.socket.setEncoding("utf8").on("data", (piece: string) => {
      this.text += piece
    })
    this.socket.on("error", () => undefined).on("close", () => {
      this.closed = true
    })
  }

  write(bytes: string | Uint8Array): void {
    if (this.socket.writable) this.socket.write(bytes)
  }

  /** The same; resolves when the system has taken the bytes, or the connection is gone. */
  taken(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.writable ? this.socket.write(bytes, () => resolve()) : resolve())
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d+) /.exec(this.text)?.[1] ?? 0)
  }

  /** A header of the answer; empty when there is none. */
  header(name: string): string {
    const line = this.head.split("\r\n").find((one) => one.toLowerCase().startsWith(`${name}: `))
    return line?.slice(name.length + 2) ?? ""
  }

  /** The answer's body, its chunks joined where it came in chunks. */
  get body(): string {
    const body = this.text.slice(this.head.length + 4)
    return this.header("transfer-encoding") === "chunked" ? body.replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, "").trim() : body
  }

  end(): void {
    this.socket.destroy()
  }

  private get head(): string {
    return this.text.split("\r\n\r\n", 1)[0] ?? ""
  }
}
