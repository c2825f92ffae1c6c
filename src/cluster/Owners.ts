/**
 * The owners of accounts, as this runner knows them.
 */
import { Context, Layer } from "effect"
import { OwnerHealth } from "./OwnerHealth.ts"

export class Owners extends Context.Service<Owners, OwnerHealth>()("realms/cluster/Owners") {
  static readonly layer = Layer.sync(Owners, () => new OwnerHealth())
}
