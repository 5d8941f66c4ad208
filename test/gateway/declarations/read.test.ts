import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cellPlace } from '../../../gateway/declarations/csv.ts'
import { COLUMNS } from '../../../gateway/declarations/fields.ts'
import { DeclarationFile, formatOf } from '../../../gateway/declarations/read.ts'
import { type TableRow, tableRows } from '../../../gateway/declarations/table.ts'
import { textOf } from '../../../gateway/declarations/utf8.ts'
import type { Declaration } from '../../../gateway/identity/declaration.ts'
import { problemLine } from '../../../gateway/kernel/problems.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'luong-read-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const TIMES = '2026-11-20T00:00:00+07:00,2026-11-23T00:00:00+07:00'
const HEAD = 'id,plate,direction,valid_from,valid_to'
const one = (id: string, plate = '24C-123.45') => `${id},${plate},import,${TIMES}`
let made = 0

async function read(content: string | Uint8Array, name = 'list.csv') {
  const path = join(dir, `${++made}-${name}`)
  writeFileSync(path, content)
  const source = new DeclarationFile(path)
  const good: Declaration[] = []
  for await (const d of source.declarations()) good.push(d)
  return { good, source, told: source.problems.map((p) => problemLine(p).replace(path, name)) }
}

describe('a table', () => {
  it.each([
    ['plain', `${HEAD}\n${one('D1')}\n`],
    ['with a byte order mark', `\ufeff${HEAD}\n${one('D1')}\n`],
    ['with CR LF', `${HEAD}\r\n${one('D1')}\r\n`],
    ['with semicolons', `${HEAD}\n${one('D1')}\n`.replaceAll(',', ';')],
    ['with tabs', `${HEAD}\n${one('D1')}\n`.replaceAll(',', '\t')],
    ['without a line break at the end', `${HEAD}\n${one('D1')}`],
    ['with blank lines and quotes', `\n${HEAD}\n\n"D1","24C-123.45",import,${TIMES}\n\n`],
    ['with names in capitals and spaces', `ID, Plate ,Direction,valid_from,valid_to\n D1 ,24C-123.45,import,${TIMES}\n`],
  ])('%s', async (_, text) => {
    const { good, told } = await read(text)
    expect(told).toEqual([])
    expect(good).toMatchObject([{ id: 'D1', plate: '24C12345', direction: 'import' }])
  })

  it('several goods, numbers and yes or no', async () => {
    const { good, told } = await read(
      `${HEAD},weight_kg,perishable,hs,kind,net_kg,value,currency,hs_2,growing_area_2\n${one('D1')},31250.5,yes,0810.60,durian,18000,2500000,VND,0804,VN-01\n${one('D2', '24C00002')},,-,,,,,,,\n`,
    )
    expect(told).toEqual([])
    expect(good[0]).toMatchObject({
      weight_kg: 31250.5,
      perishable: true,
      currency: 'VND',
      cargo: [
        { hs: '081060', kind: 'durian', net_kg: 18_000, value: 2_500_000 },
        { hs: '0804', growing_area: 'VN-01' },
      ],
    })
    expect(good[1]).not.toHaveProperty('cargo')
    expect(good[1]).not.toHaveProperty('weight_kg')
  })

  it('tells all that is wrong, each with line, column, field and what to do', async () => {
    const { good, told } = await read(
      [
        `${HEAD},goods,weight_kg,container,priority`,
        `${one('D1')},"with a comma, and`,
        `a line break",12.500,5,CSQU3054384,maybe`,
        `${one('D1')},,,,`,
        `D2,24C12345,sideways,${TIMES},,,,`,
        `D3,24C12345,import,${TIMES}`,
        `D4,,import,2026-11-20,2026-11-23T00:00:00+07:00,,1e9,,`,
        `D5,24C00005,import,2026-11-23T00:00:00+07:00,2026-11-20T00:00:00+07:00,,,,`,
        `D6,24C00006,import,${TIMES},,,csqu 305438-3,`,
      ].join('\n'),
    )
    expect(good.map((d) => d.id)).toEqual(['D1', 'D6'])
    const text = told.join('\n')
    // 12.500,5 makes one cell too many.
    expect(text).toMatch(/^list\.csv:3:\d+ 10 cells, but the first line names 9 columns \(.*quotes/m)
    expect(text).toMatch(/^list\.csv:5:13 direction: ".*" is none of import, export/m)
    expect(text).toMatch(/^list\.csv:6:\d+ 5 cells, but the first line names 9/m)
    expect(text).toMatch(/^list\.csv:7:4 plate: is missing \(Plate/m)
    expect(text).toMatch(/^list\.csv:7:12 valid_from: .*\(RFC 3339/m)
    expect(text).toMatch(/^list\.csv:7:\d+ weight_kg: is no number: 1e9 \(write digits/m)
    expect(text).toMatch(/^list\.csv:8:\d+ valid_to: is not after valid_from/m)
  })

  it('says the right check digit', async () => {
    const { told } = await read(`${HEAD},container,priority\n${one('D1')},CSQU3054384,maybe\n`)
    expect(told.join('\n')).toMatch(/^list\.csv:2:74 container: has the wrong check digit: of CSQU305438 it is 3, not 4/m)
    expect(told.join('\n')).toMatch(/^list\.csv:2:86 priority: is neither yes nor no: maybe \(write yes or no\)/m)
  })

  it('an id twice names the line of the first; a truck declared twice is a warning', async () => {
    const { good, source, told } = await read(`${HEAD}\n${one('D1')}\n${one('D2')}\n${one('D1', '24C99999')}\n`)
    expect(good.map((d) => d.id)).toEqual(['D1', 'D2'])
    expect([source.errors, source.warnings]).toEqual([1, 1])
    expect(told[0]).toMatch(/^list\.csv:3:4 warning: plate: 24C12345 is declared for import on line 2 as well \(D1\)/)
    expect(told[1]).toMatch(/^list\.csv:4:1 id: D1 stands on line 2 already/)
  })

  it('wrong columns: all of them, with what may be meant; no row is looked at', async () => {
    const { good, told } = await read(`id,plat,direction,direction,valid_from,,colour of truck\n${one('D1')}\n`)
    expect(good).toEqual([])
    expect(told).toEqual([
      expect.stringMatching(/^list\.csv:1:1 these columns are missing: plate, valid_to/),
      expect.stringMatching(/^list\.csv:1:4 plat: unknown column "plat" \(did you mean plate\?\)/),
      expect.stringMatching(/^list\.csv:1:19 direction: column "direction" is there twice/),
      expect.stringMatching(/^list\.csv:1:40 this column has no name/),
      expect.stringMatching(/^list\.csv:1:41 colour of truck: unknown column/),
    ])
  })

  it.each([
    ['nothing in it', '', /:1:1 there is no declaration/],
    ['only a header', `${HEAD}\n`, /:1:1 there is no declaration/],
    ['a quote that is not closed', `${HEAD}\n${one('D1')}\n"D2,24C`, /:3:1 the file ends inside quotes/],
    ['a quote in the middle', `${HEAD}\n${one('D1')}\nD2,"24C"x,import,${TIMES}\n`, /:3:1 a quote stands where none may be/],
    ['half a row', `${HEAD}\n${one('D1')}\nD2,24C12`, /:3:\d+ 2 cells, but the first line names 5/],
    ['a row without end', `${HEAD}\n"${'x'.repeat(80_000)}\n`, /longer than 65536 characters/],
    ['control characters', `${HEAD},firm_id\n${one('D1')},a\u0007b\n`, /:2:\d+ firm_id: must be one line/],
  ])('%s', async (_, text, why) => {
    const { source, told } = await read(text)
    expect(source.errors).toBeGreaterThan(0)
    expect(told.join('\n')).toMatch(why)
  })

  it('what is not UTF-8 is told with its place', async () => {
    const latin = Buffer.from(`${HEAD},firm\n${one('D1')},Công ty\n${one('D2', '24C2222')},C\xf4ng\n`, 'latin1')
    const { told } = await read(Buffer.concat([latin]))
    expect(told.join('\n')).toMatch(/^list\.csv:2:\d+ is not UTF-8 \(byte 0xf4\) \(save it as UTF-8/m)
    expect(told.join('\n')).toMatch(/^list\.csv:3:\d+ is not UTF-8 \(byte 0xf4\)/m)
    expect((await read(Buffer.from(`\ufeff${HEAD}\n`, 'utf16le'))).told[0]).toMatch(/:1:1 is UTF-16/)
    expect((await read(Buffer.from('PK\x03\x04junk', 'latin1'))).told[0]).toMatch(/is a spreadsheet/)
  })

  it('names every column of the schema', () => {
    expect([...COLUMNS.keys()]).toEqual(expect.arrayContaining(['id', 'plate', 'hs', 'growing_area', 'packing_house', 'hs_2', 'value_20']))
    expect(COLUMNS.has('cargo')).toBe(false)
  })
})

describe('JSON', () => {
  const d = (id: string, more: object = {}) => ({
    id,
    plate: '24C-123.45',
    direction: 'import',
    valid_from: '2026-11-20T00:00:00+07:00',
    valid_to: '2026-11-23T00:00:00+07:00',
    ...more,
  })

  it.each([
    ['an array', JSON.stringify([d('D1'), d('D2', { plate: '24C2222' })])],
    ['an array, spread out', JSON.stringify([d('D1', { firm: '}]{["\\' }), d('D2', { plate: '24C2222' })], null, 2)],
    ['an object a line', `${JSON.stringify(d('D1'))}\n${JSON.stringify(d('D2', { plate: '24C2222' }))}\n`],
    [
      'with a byte order mark and CR LF',
      `\ufeff[\r\n${JSON.stringify(d('D1'))},\r\n${JSON.stringify(d('D2', { plate: '24C2222' }))}\r\n]\r\n`,
    ],
  ])('%s', async (_, text) => {
    const { good, told } = await read(text, 'list.json')
    expect(told).toEqual([])
    expect(good.map((x) => x.id)).toEqual(['D1', 'D2'])
  })

  it('tells all that is wrong with its place', async () => {
    const text = `[\n  ${JSON.stringify(d('D1'))},\n  {\n    "id": "D2", "plat": "x",\n    "cargo": [ { "hs": "12" } ]\n  },\n  { "id": D3 },\n  ${JSON.stringify(d('D1'))}\n]`
    const { good, told } = await read(text, 'list.json')
    expect(good.map((x) => x.id)).toEqual(['D1'])
    const all = told.join('\n')
    expect(all).toMatch(/^list\.json:4:17 plat: unknown key "plat" \(did you mean plate\?\)|^list\.json:4:\d+ plat: unknown key "plat"/m)
    expect(all).toMatch(/^list\.json:5:24 cargo\.0\.hs: write an HS code/m)
    expect(all).toMatch(/^list\.json:3:3 direction: /m)
    expect(all).toMatch(/^list\.json:7:\d+ is not JSON/m)
    expect(all).toMatch(/^list\.json:8:\d+ id: D1 stands on line 2 already/m)
  })

  it.each([
    ['half an array', '[{"id":"D1"},', /ends without a closing \]/],
    ['half an object', '[{"id":"D1"', /:1:2 the file ends inside this declaration/],
    ['no comma', '[{"id":"D1"} {"id":"D2"}]', /:1:14 "\{" where a comma or \] should be/],
    ['something after it', '[] x', /:1:4 "x" after the closing \]/],
    ['a number', '12', /:1:1 "1" where a declaration in braces should be/],
    ['an empty array', '[]', /there is no declaration/],
    ['an object without end', `[{"id":"${'x'.repeat(80_000)}`, /longer than 65536 characters/],
  ])('%s', async (_, text, why) => {
    const { source, told } = await read(text, 'list.json')
    expect(source.errors).toBeGreaterThan(0)
    expect(told.join('\n')).toMatch(why)
  })

  it('an object that wraps a list is told as what it is', async () => {
    const { told } = await read(JSON.stringify({ declarations: [d('D1')] }), 'list.json')
    expect(told.join('\n')).toMatch(/unknown key "declarations"/)
  })
})

describe('any file', () => {
  it('whatever bytes come: an end, and every row is either taken or told', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.constantFrom('x.csv', 'x.json'), async (bytes, name) => {
        const { good, source } = await read(bytes, name)
        expect(good.length === source.rows || source.errors > 0).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('cut anywhere: never more than was there, and what is missing at the end is told', async () => {
    const whole = Buffer.from(`${HEAD},firm\n${one('D1')},Công ty A\n${one('D2', '24C2222')},"Cty, B"\n`)
    for (let cut = 0; cut < whole.length; cut += 3) {
      const { good, source } = await read(whole.subarray(0, cut))
      expect(good.length).toBeLessThanOrEqual(2)
      if (good.length < 2 && cut > HEAD.length + 6 + one('D1').length) expect(source.errors + good.length).toBeGreaterThan(0)
    }
  })

  it('text comes out the same however it is cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.integer({ min: 1, max: 7 }), async (text, size) => {
        fc.pre(!text.startsWith('\ufeff') && !/^(PK\x03|\x1f)/.test(text))
        const bytes = Buffer.from(text)
        let at = 0
        const handle = {
          read: async (buffer: Buffer) => {
            const part = bytes.subarray(at, at + size)
            buffer.set(part)
            at += part.length
            return { bytesRead: part.length, buffer }
          },
        }
        const told: unknown[] = []
        let out = ''
        for await (const piece of textOf(handle as never, (f) => told.push(f))) out += piece
        expect(out).toBe(text.replaceAll('\r\n', '\n'))
        expect(told).toEqual([])
      }),
    )
  })

  it('places of cells: quotes and line breaks inside them', () => {
    expect(cellPlace('a,"b,""x\ny",c\n', 2, ',')).toEqual({ line: 2, column: 4 })
    expect(cellPlace('a;b;c', 1, ';')).toEqual({ line: 1, column: 3 })
  })

  it('a table comes out as it was written, however it is cut into pieces, each row with its text and line', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'đ', '车', ' ', '"', '\n', ',', ';', '-'), maxLength: 6 })
    // A row of one empty cell is an empty line, which is passed over.
    const rows = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.constantFrom(',', ';', '\t'),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (table, d, size, ended) => {
          const quoted = (c: string) => (/["\n,;\t]/.test(c) ? `"${c.replaceAll('"', '""')}"` : c)
          const lines = table.map((cells) => cells.map(quoted).join(d))
          const text = lines.join('\n\n') + (ended ? '\n' : '')
          const pieces = async function* () {
            for (let i = 0; i < text.length; i += size) yield text.slice(i, i + size)
          }
          const found: TableRow[] = []
          for await (const row of tableRows(pieces(), d)) found.push(row)
          expect(found.map((r) => r.cells)).toEqual(table)
          expect(found.map((r) => r.raw)).toEqual(lines)
          let before = ''
          for (const { raw, line } of found) {
            const at = text.indexOf(raw, before.length)
            expect(line).toBe(text.slice(0, at).split('\n').length)
            before = text.slice(0, at + raw.length)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('its kind is in its name', () => {
    expect([formatOf('A.CSV'), formatOf('a.tsv'), formatOf('a.jsonl')]).toEqual(['csv', 'csv', 'json'])
    expect(() => formatOf('a.xlsx')).toThrow(expect.objectContaining({ code: 'BAD_USAGE' }))
  })
})
