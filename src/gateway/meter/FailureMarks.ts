/**
 * The members of a frame that together say it is a failure though nothing in it is named an error: a `message` in words, beside a
 * code, a status or a `success` of a failure.
 *
 * @internal
 */
import { QUOTE } from "../request/JsonBytes.ts"
import { LOWER_F } from "../request/JsonScan.ts"
import { isNonEmpty, scalarAt } from "./FrameBytes.ts"
import { isFailureCode, isFailureStatus } from "./FrameFailure.ts"
import { Key } from "./FrameKeys.ts"

export class FailureMarks {
  private hasMessage = false
  private hasCode = false

  clear(): void {
    this.hasMessage = this.hasCode = false
  }

  get areBoth(): boolean {
    return this.hasMessage && this.hasCode
  }

  /** A member of the frame, and where its value is. */
  note(data: Uint8Array, key: number, value: number): void {
    switch (key) {
      case Key.message:
        this.hasMessage ||= data[value] === QUOTE && isNonEmpty(data, value)
        return
      case Key.code:
        this.hasCode ||= isFailureCode(scalarAt(data, value))
        return
      case Key.status:
        this.hasCode ||= isFailureStatus(scalarAt(data, value))
        return
      case Key.success:
        this.hasCode ||= data[value] === LOWER_F
    }
  }
}
