/**
 * Where a client is pointed: the three things that a user of the gateway fills in, whatever the client.
 */
export interface Target {
  /** With `/v1`. */
  readonly baseUrl: string
  readonly apiKey: string
  readonly model: string
}
