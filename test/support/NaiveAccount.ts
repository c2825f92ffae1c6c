/**
 * A balance the slow and obvious way: what came in less what was used and what is held, each call a row. No cleverness
 * that the account machine could share a mistake with; balance funding only.
 */

interface NaiveCall {
  state: "reserved" | "committed" | "voided" | "expired"
  held: bigint
  charged: bigint
}

export class NaiveAccount {
  usd = 0n
  owed = 0n
  private readonly calls = new Map<string, NaiveCall>()
  private readonly posted = new Set<string>()

  get openCount(): number {
    return [...this.calls.values()].filter((call) => call.state === "reserved").length
  }

  private give(amount: bigint): void {
    const repaid = amount < this.owed ? amount : this.owed
    this.owed -= repaid
    this.usd += amount - repaid
  }

  /** Takes what there is, the rest becomes owed; answers what was taken. */
  private take(amount: bigint): bigint {
    const taken = amount < this.usd ? amount : this.usd
    this.usd -= taken
    this.owed += amount - taken
    return taken
  }

  private hold(amount: bigint): boolean {
    if (amount > 0n && (this.owed > 0n || this.usd < amount)) return false
    this.usd -= amount
    return true
  }

  post(id: string, amount: bigint, strict: boolean): void {
    if (this.posted.has(id) || (strict && amount < 0n && this.usd < -amount)) return
    this.posted.add(id)
    if (amount >= 0n) this.give(amount)
    else this.take(-amount)
  }

  reserve(id: string, amount: bigint): void {
    if (!this.calls.has(id) && this.hold(amount)) this.calls.set(id, { state: "reserved", held: amount, charged: 0n })
  }

  extend(id: string, amount: bigint): void {
    const call = this.calls.get(id)
    if (call?.state === "reserved" && amount > call.held && this.hold(amount - call.held)) call.held = amount
  }

  commit(id: string, cost: bigint): void {
    const call = this.calls.get(id)
    if (call === undefined || (call.state !== "reserved" && call.state !== "expired")) return
    const had = call.state === "reserved" ? call.held : call.charged
    if (cost <= had) {
      this.give(had - cost)
      call.charged = cost
    } else call.charged = had + this.take(cost - had)
    call.state = "committed"
  }

  void(id: string): void {
    const call = this.calls.get(id)
    if (call === undefined) this.calls.set(id, { state: "voided", held: 0n, charged: 0n })
    else if (call.state === "reserved") {
      call.state = "voided"
      this.give(call.held)
    }
  }

  expire(id: string, charge: boolean): void {
    const call = this.calls.get(id)
    if (call?.state !== "reserved") return
    call.state = "expired"
    call.charged = charge ? call.held : 0n
    this.give(call.held - call.charged)
  }
}
