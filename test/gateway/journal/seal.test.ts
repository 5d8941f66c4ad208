import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fingerprint, genuine, openSeal, type SealedHead, signedText } from '../../../gateway/journal/seal.ts'
import { LuongError } from '../../../gateway/kernel/errors.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'luong-seal-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const claim = { site: 'kim-thanh', boot: 'b1', sequence: 12, entry: 40, hash: 'ab'.repeat(32), at: '2026-11-22T08:00:00.000+07:00' }

describe('the key of a data folder', () => {
  it('is made once, is nobody else’s to read, and stays the same', () => {
    const first = openSeal(dir)
    expect(statSync(join(dir, 'identity.pem')).mode & 0o777).toBe(0o600)
    expect(openSeal(dir).key).toBe(first.key)
    expect(first.fingerprint).toMatch(/^[0-9a-f]{16}$/)
    expect(fingerprint(first.key)).toBe(first.fingerprint)
  })

  it.each([
    ['cut off', (pem: string) => pem.slice(0, 60)],
    ['of another kind', () => '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'],
    ['empty', () => ''],
  ])('a file that is %s is refused by name, and left as it is', (_, spoil) => {
    openSeal(dir)
    const file = join(dir, 'identity.pem')
    const spoilt = spoil(readFileSync(file, 'utf8'))
    writeFileSync(file, spoilt)
    expect(() => openSeal(dir)).toThrow(LuongError)
    expect(() => openSeal(dir)).toThrow(file)
    expect(readFileSync(file, 'utf8')).toBe(spoilt)
  })
})

describe('a sealed head', () => {
  it('is genuine, and not after any field was changed', () => {
    const head = openSeal(dir).sign(claim)
    expect(genuine(head)).toBe(true)
    const other = mkdtempSync(join(tmpdir(), 'luong-seal-'))
    const stranger = openSeal(other)
    rmSync(other, { recursive: true })
    const changes: Partial<SealedHead>[] = [
      { site: 'huu-nghi' },
      { boot: 'b2' },
      { sequence: 11 },
      { entry: 41 },
      { hash: 'ac'.repeat(32) },
      { at: '2026-11-22T08:00:01.000+07:00' },
      { key: stranger.key },
      { key: 'no key' },
      { signature: stranger.sign(claim).signature },
      { signature: '' },
    ]
    for (const change of changes) expect(genuine({ ...head, ...change }), JSON.stringify(change)).toBe(false)
  })

  it('no two claims are signed as the same text', () => {
    const any = fc.record({ site: fc.string(), boot: fc.string(), sequence: fc.nat(), entry: fc.nat(), hash: fc.string(), at: fc.string() })
    fc.assert(
      fc.property(
        any,
        any,
        (a, b) =>
          (signedText(a) === signedText(b)) === (JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort())),
      ),
    )
  })
})
