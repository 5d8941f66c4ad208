/**
 * Blueprint, step 2: bytes ↔ words, pure, so that it can be tested on anything. The example protocol: ASCII lines that end in LF.
 * `I0`/`I1` device → gateway: level of the input, on change and twice a second. `O0`/`O1` gateway → device: switch the relay;
 * the device echoes the line.
 */
export interface Line {
  readonly point: 'input' | 'output'
  readonly on: boolean
}

export function encode({ point, on }: Line): Uint8Array {
  return Buffer.from(`${point === 'input' ? 'I' : 'O'}${on ? 1 : 0}\n`, 'latin1')
}

/** Longer lines are garbage: nothing is held back beyond this. */
const MAX_LINE = 8

/** Cuts a byte stream into lines, however it is split. Bounded, and in step again at the next LF. */
export class LineCutter {
  #held = ''
  /** Lines that were none of the protocol. */
  bad = 0

  push(bytes: Uint8Array): Line[] {
    const parts = (this.#held + Buffer.from(bytes).toString('latin1')).split('\n')
    // One byte too many is kept, so that the end of an overlong line is not taken for a whole one.
    this.#held = parts.pop()!.slice(0, MAX_LINE)
    return parts.flatMap((text) => {
      const [, kind, level] = /^([IO])([01])\r?$/.exec(text) ?? []
      if (kind === undefined) {
        this.bad++
        return []
      }
      return [{ point: kind === 'I' ? 'input' : 'output', on: level === '1' } as const]
    })
  }
}
