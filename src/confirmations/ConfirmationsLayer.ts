/**
 * The folder's layer: what waits for a second person. The use cases that ask for one are below, and know only the port.
 */
import { Confirmations } from "./Confirmations.ts"

export const ConfirmationsLayer = Confirmations.layer
