/** `luong journal --verify --against`: does the journal still hold what the box once signed? */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Continuation } from '../journal/continue.ts'
import { openReader } from '../journal/reader.ts'
import { fingerprint, genuine, type SealedHead } from '../journal/seal.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import { sealedHead } from '../uplink/schema/head.ts'

export interface Against {
  readonly ok: boolean
  readonly head: SealedHead
  /** Of the key that signed. */
  readonly fingerprint: string
  readonly why?: string
}

/** @throws BAD_USAGE when the file is no sealed head */
export function readSealed(file: string): SealedHead {
  const refuse = (why: string, cause?: unknown) =>
    new LuongError('BAD_USAGE', `${file}: this is no sealed head: ${why}`, {
      hint: "Save one as it was published: mosquitto_sub -t 'luong/v1/SITE/head' -C 1 > head.json",
      cause,
    })
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw refuse(messageOf(cause), cause)
  }
  const { data, error } = sealedHead.safeParse(value)
  if (data === undefined) throw refuse(z.prettifyError(error).replaceAll(/\s*\n\s*/g, ' '), error)
  return data as SealedHead
}

/** Which numbers somebody decided to leave out, and why. */
export function leftOut({ from, to, sequence, at, by, reason }: Continuation): string {
  return `sequences ${from} to ${to} are lost or were never given; event ${sequence} of ${new Date(at).toISOString()} says so, by ${by}: ${reason}`
}

/** Compares a head that was published with the journal in `dir`. The journal itself is verified by the caller. */
export function against(dir: string, head: SealedHead, continued: readonly Continuation[] = []): Against {
  const about = { head, fingerprint: fingerprint(head.key) }
  if (!genuine(head)) return { ...about, ok: false, why: 'the signature is not by that key: the head itself was changed' }
  const reader = openReader(dir)
  try {
    if (reader.site !== head.site) return { ...about, ok: false, why: `it is of site ${head.site}, this journal is of ${reader.site}` }
    if (head.entry === 0) return { ...about, ok: true }
    const hash = reader.queries.hashOf(head.entry)
    if (hash === head.hash) return { ...about, ok: true }
    const lost = continued.find((c) => c.from <= head.sequence && head.sequence <= c.to)
    if (lost) return { ...about, ok: false, why: `it is of what this journal does not hold: ${leftOut(lost)}` }
    const why =
      hash === null
        ? `the journal ends before entry ${head.entry}: its end was cut off`
        : `entry ${head.entry} has another hash now: what came before it was written anew`
    return { ...about, ok: false, why }
  } finally {
    reader.close()
  }
}
