import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_LINE, read, type Scan, ScanCutter } from '../../../../firmware-bridge/drivers/qr-line/codec.ts'

const utf8 = (text: string) => Buffer.from(text)
const texts = (scans: readonly Scan[]) => scans.map((s) => ('refused' in s ? `!${s.refused}` : s.text))
const all = (...chunks: (string | Uint8Array)[]) => {
  const cutter = new ScanCutter('utf-8')
  const scans = chunks.flatMap((c) => cutter.push(typeof c === 'string' ? utf8(c) : c))
  return texts([...scans, ...cutter.flush()])
}

describe('lines', () => {
  it.each([
    ['CR', 'A1\rB2\r'],
    ['LF', 'A1\nB2\n'],
    ['CR LF', 'A1\r\nB2\r\n'],
    ['silence', 'A1\r\nB2'],
    ['more ends than lines', '\r\n\r\nA1\r\n\n\rB2\r\r'],
  ])('end in %s', (_, stream) => expect(all(stream)).toEqual(['A1', 'B2']))

  it('are found however the stream is split, letters of several bytes too', () => {
    const stream = utf8(']Q1Tờ khai 30/TK-2026 · Đặng Văn Ánh · 云G1234挂\r\nB2\r')
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (cuts) => {
        const at = [...new Set(cuts)].sort((a, b) => a - b)
        const chunks = [0, ...at].map((from, i) => stream.subarray(from, at[i] ?? stream.length))
        expect(all(...chunks)).toEqual(['Tờ khai 30/TK-2026 · Đặng Văn Ánh · 云G1234挂', 'B2'])
      }),
    )
  })

  it('may be 4,096 bytes long and no longer', () => {
    expect(all('x'.repeat(MAX_LINE), '\r')[0]).toHaveLength(MAX_LINE)
    expect(all('x'.repeat(MAX_LINE + 1), '\r', 'B2\r')).toEqual(['!long', 'B2'])
    expect(all(...Array.from({ length: 50 }, () => 'y'.repeat(1_000)), '\rB2\r')).toEqual(['!long', 'B2'])
  })
})

describe('one line', () => {
  it.each([
    [']Q1TK-1', 'TK-1', 'Q1'],
    [']C0 12345 ', '12345', 'C0'],
    [']QR is no prefix of two characters here', 'is no prefix of two characters here', 'QR'],
    ['[Q1]TK-1', '[Q1]TK-1', ''],
    ['\u0002TK\u001d-1\u0003', 'TK-1', ''],
    ['\ufeffTK-1', 'TK-1', ''],
  ])('%j', (line, text, symbology) => expect(read(utf8(line), 'utf-8')).toEqual({ text, symbology }))

  it('is refused when it is no text, and when nothing printable is left', () => {
    expect(read(Uint8Array.from([0x41, 0xff, 0xfe]), 'utf-8')).toEqual({ refused: 'not-text' })
    expect(read(utf8('\u0000\u0007'), 'utf-8')).toEqual({ refused: 'blank' })
    expect(read(utf8(']Q1'), 'utf-8')).toEqual({ refused: 'blank' })
  })

  it('may be Chinese in GB 18030', () => {
    expect(read(Uint8Array.from([0xd4, 0xc6, 0x47, 0x31]), 'gb18030')).toEqual({ text: '云G1', symbology: '' })
  })
})

it('any bytes: nothing throws, little is held back, no control character gets through', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('utf-8' as const, 'gb18030' as const),
      fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 6 }),
      (encoding, chunks) => {
        const cutter = new ScanCutter(encoding)
        const scans = chunks.flatMap((c) => {
          const found = cutter.push(c)
          expect(cutter.held).toBeLessThanOrEqual(MAX_LINE)
          return found
        })
        for (const scan of [...scans, ...cutter.flush()]) {
          if ('refused' in scan) continue
          expect(scan.text).not.toMatch(/\p{Cc}/u)
          expect(scan.text).toBe(scan.text.trim())
          expect(scan.text.length).toBeGreaterThan(0)
        }
        expect(cutter.open).toBe(false)
      },
    ),
  )
})
