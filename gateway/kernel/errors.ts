/**
 * Every error a person may see has a code from this table: what it means and what to do.
 * docs/generated/errors.md is generated from it, and a test checks that each code is used.
 */
export interface ErrorInfo {
  /** What it means, one sentence. */
  readonly meaning: string
  /** What a technician can do about it. */
  readonly hint: string
  /** Whether trying again later, unchanged, may succeed. */
  readonly retryable: boolean
}

export const ERRORS = {
  BAD_USAGE: { meaning: 'The command line is wrong.', hint: 'See `luong COMMAND --help`.', retryable: false },
  CONFIG_INVALID: {
    meaning: 'A configuration file is wrong.',
    hint: 'Fix the lines named; `luong check` shows all of them.',
    retryable: false,
  },
  PORT_IN_USE: { meaning: 'A TCP port is taken by another program.', hint: 'Stop that program or choose another port.', retryable: true },
  LINK_DOWN: {
    meaning: 'A serial port, socket or broker is not connected.',
    hint: 'Check cable, power and address; it reconnects by itself.',
    retryable: true,
  },
  DEVICE_TIMEOUT: {
    meaning: 'A device did not answer in time.',
    hint: 'Check power, address, baud rate and wiring; try `luong probe`.',
    retryable: true,
  },
  DEVICE_REFUSED: {
    meaning: 'A device answered with an error.',
    hint: 'Check that the profile and the channel fit the board.',
    retryable: false,
  },
  FRAME_INVALID: {
    meaning: 'Bytes from a device are not a valid frame.',
    hint: 'Check baud rate, parity, shielding and that one master owns the bus.',
    retryable: true,
  },
  COMMAND_EXPIRED: {
    meaning: 'A command was older than its time to live and was not carried out.',
    hint: 'Send it again if it is still wanted.',
    retryable: true,
  },
  STOPPED: { meaning: 'The component is stopping; the work was not done.', hint: 'Nothing to do.', retryable: false },
  QUEUE_FULL: {
    meaning: 'A bounded queue is full and the work was refused or dropped.',
    hint: 'See `/metrics`; the consumer is too slow or blocked.',
    retryable: true,
  },
  IMAGE_INVALID: {
    meaning: 'A picture cannot be decoded, or is too large to be decoded safely.',
    hint: 'Check the camera: JPEG or PNG up to the limits in the docs.',
    retryable: false,
  },
  MODEL_INVALID: { meaning: 'A model file is missing or does not match its checksum.', hint: 'Reinstall the package.', retryable: false },
  READER_FAILED: {
    meaning: 'A plate reader thread crashed, hung or was too busy, and gave up a picture.',
    hint: 'It starts again by itself; if it happens often, see the log and give `plates.workers` more cores.',
    retryable: true,
  },
  JOURNAL_CORRUPT: {
    meaning: 'The journal does not verify.',
    hint: 'Keep the folder as evidence; restore a backup; see docs/operate.md.',
    retryable: false,
  },
  JOURNAL_UNAVAILABLE: {
    meaning: 'The journal cannot be written.',
    hint: 'Check disk space and permissions; the lane refers vehicles until it can.',
    retryable: true,
  },
  RULES_INVALID: {
    meaning: 'A rules file is wrong; the rules in force are unchanged.',
    hint: 'Fix the lines named; `luong check` runs the examples.',
    retryable: false,
  },
  IMPORT_INVALID: {
    meaning: 'A file of declarations is wrong; nothing of it was taken.',
    hint: 'Fix the lines named and import it again.',
    retryable: false,
  },
  PAYLOAD_INVALID: {
    meaning: 'A message from a broker does not fit its schema and was ignored.',
    hint: 'See the JSON Schema of the topic: `luong schema --topics`.',
    retryable: false,
  },
  PROGRAM_MISSING: {
    meaning: 'A program from the system is needed and not installed.',
    hint: 'Install the package named.',
    retryable: false,
  },
  DATA_IN_USE: {
    meaning: 'The data folder is in use by another gateway.',
    hint: 'Stop the other process, or choose another folder.',
    retryable: true,
  },
} as const satisfies Record<string, ErrorInfo>

export type ErrorCode = keyof typeof ERRORS

/** An error with a code from {@link ERRORS}. `message` names the file, line, device or topic; `hint` says what to do. */
export class LuongError extends Error {
  readonly code: ErrorCode
  readonly hint: string
  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'LuongError'
    this.code = code
    this.hint = options.hint ?? ERRORS[code].hint
  }
  get retryable(): boolean {
    return ERRORS[this.code].retryable
  }
}

/** The text of anything thrown, for logs and replies. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
