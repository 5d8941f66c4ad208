/** Errors over a thread's border, where classes are lost. */
import { type ErrorCode, LuongError } from './errors.ts'

export interface WireError {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string
}

export const toWire = ({ code, message, hint }: LuongError): WireError => ({ code, message, hint })
export const fromWire = ({ code, message, hint }: WireError): LuongError => new LuongError(code, message, { hint })
