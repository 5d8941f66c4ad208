/** `luong declarations`: the command as a person runs it, on the store alone; and a file of 100,000. */
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { barText, progressBar } from '../../../gateway/cli/progress.ts'
import { DeclarationFile } from '../../../gateway/declarations/read.ts'
import { importFolder, Spool, waiting } from '../../../gateway/declarations/spool.ts'
import { LISTS_STATE, listsState } from '../../../gateway/declarations/state.ts'
import { type Declaration, declaration } from '../../../gateway/identity/declaration.ts'
import { checkDigit } from '../../../gateway/identity/iso6346.ts'
import { createJournal } from '../../../gateway/journal/create.ts'
import type { Journal } from '../../../gateway/journal/journal.ts'
import { luong } from '../../harness/program.ts'

let dir: string
let data: string
const open: Journal[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'luong-import-'))
  data = join(dir, 'data')
})
afterEach(async () => {
  for (const j of open.splice(0)) await j.close()
  rmSync(dir, { recursive: true, force: true })
})

const TIMES = '2026-11-20T00:00:00+07:00,2026-11-23T00:00:00+07:00'
const HEAD = 'id,plate,direction,valid_from,valid_to'
const file = (name: string, text: string) => {
  writeFileSync(join(dir, name), text)
  return join(dir, name)
}
const one = (id: string) =>
  declaration.parse({
    id,
    plate: `24C${id}`,
    direction: 'import',
    valid_from: '2026-11-20T00:00:00+07:00',
    valid_to: '2026-11-23T00:00:00+07:00',
  })
async function* all(...of: Declaration[]) {
  yield* of
}
async function journal(): Promise<Journal> {
  const j = createJournal({ dir: data, site: 'gate', minFreeMb: 1 })
  await j.open()
  open.push(j)
  return j
}
const known = async (j: Journal) => (await j.documents('declarations')).map((d) => d.key)

describe('a hand-over', () => {
  it('is found only when it is whole, taken once, and gone after', async () => {
    const j = await journal()
    const spool = new Spool(data)
    expect(await spool.write({ file: 'list.csv', replace: false }, all(one('1001'), one('1002')))).toBe(2)
    expect(await waiting(data, Date.now())).toEqual([])
    await spool.ready()
    expect(await waiting(data, Date.now())).toMatchObject([{ claimed: false }])
    expect([await spool.claim(), await spool.claim()]).toEqual([true, false])
    expect(await spool.apply(j, 1_000)).toEqual({ file: 'list.csv', replace: false, count: 2 })
    await spool.finish({ ok: true, count: 2 })
    expect(await spool.answer()).toEqual({ ok: true, count: 2 })
    expect(await spool.answer()).toBeNull()
    expect(readdirSync(importFolder(data))).toEqual([])
    expect(await known(j)).toEqual(['1001', '1002'])
    expect(listsState(await j.documents(LISTS_STATE))).toMatchObject({
      contact: 1_000,
      newest: 1_000,
      imported: { file: 'list.csv', count: 2 },
    })
  })

  it('with --replace withdraws what is not in it', async () => {
    const j = await journal()
    await j.putDocument('declarations', 'old', one('1000'))
    const spool = new Spool(data)
    await spool.write({ file: 'list.csv', replace: true }, all(one('1001')))
    await spool.ready()
    await spool.claim()
    await spool.apply(j, 0)
    expect(await known(j)).toEqual(['1001'])
  })

  it('that was changed on the way is refused, and nothing of it is taken', async () => {
    const j = await journal()
    for (const change of [
      (path: string) => appendFileSync(path, `${JSON.stringify(one('1009'))}\n`),
      (path: string) => writeFileSync(path, `{"file":"x","replace":false}\n${JSON.stringify(one('1001'))}\n`),
      (path: string) => writeFileSync(path, `{"file":"x","replace":false}\n${JSON.stringify(one('1001'))}\n{"count":2}\n`),
      (path: string) => writeFileSync(path, `{"file":"x","replace":false}\n${JSON.stringify(one('1001'))}\n{"id":"10`),
      (path: string) => writeFileSync(path, ''),
    ]) {
      const spool = new Spool(data)
      await spool.write({ file: 'x', replace: false }, all(one('1001'), one('1002')))
      await spool.ready()
      await spool.claim()
      const [name] = readdirSync(importFolder(data)).filter((n) => n.endsWith('.claimed'))
      change(join(importFolder(data), name!))
      if (change.toString().includes('append')) await spool.apply(j, 0)
      else await expect(spool.apply(j, 0)).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' })
      await spool.finish(null)
    }
    // What stands behind the end is not looked at.
    expect(await known(j)).toEqual(['1001', '1002'])
  })

  it('can be taken back until it is claimed', async () => {
    const spool = new Spool(data)
    await spool.write({ file: 'x', replace: false }, all(one('1001')))
    await spool.ready()
    expect(await spool.withdraw()).toBe(true)
    expect(await waiting(data, Date.now())).toEqual([])
    const other = new Spool(data)
    await other.write({ file: 'x', replace: false }, all(one('1001')))
    await other.ready()
    await other.claim()
    expect(await other.withdraw()).toBe(false)
  })
})

describe('documents in one go', () => {
  it('all or nothing: what rows throw half-way leaves nothing, also not after a restart', async () => {
    const j = await journal()
    await j.putDocument('declarations', 'D0', { n: 0 })
    const rows = async function* (n: number) {
      for (let i = 0; i < n; i++) yield { key: `D${i}`, value: { n: i + 1 } }
      throw new Error('the file ends')
    }
    await expect(j.importDocuments('declarations', rows(1_300))).rejects.toThrow('the file ends')
    expect(await j.documents('declarations')).toMatchObject([{ key: 'D0', value: { n: 0 } }])
    expect(await j.documents('aside:declarations:1')).toEqual([])
  })

  it('what a crash left aside is cleared away at the next start', async () => {
    const j = await journal()
    await j.putDocument('aside:declarations:1', 'D1', {})
    await j.close()
    const next = await journal()
    expect(await next.documents('aside:declarations:1')).toEqual([])
  })

  it('others get their turn in between', async () => {
    const j = await journal()
    let others = 0
    const rows = async function* () {
      for (let i = 0; i < 5_000; i++) {
        if (i % 1_000 === 500) void j.putDocument('x', `${i}`, {}).then(() => others++)
        if (i === 4_999) expect(others).toBeGreaterThan(2)
        yield { key: `D${i}`, value: { i } }
      }
    }
    expect(await j.importDocuments('declarations', rows())).toBe(5_000)
  })
})

describe('luong declarations', () => {
  it('imports into the store of a gateway that does not run, lists and shows', async () => {
    await (await journal()).close()
    const list = file(
      'list.csv',
      `${HEAD},hs,kind,growing_area\nTK-1,24C-123.45,import,${TIMES},0810,durian,VN-01\nTK-2,29C-11111,export,${TIMES},,,\n`,
    )
    const done = await luong('declarations', 'import', list, '--data', data)
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(done.out).toMatch(/list\.csv: 2 declarations: stored; the gateway knows them when it starts/)
    expect(readdirSync(importFolder(data))).toEqual([])
    const listed = await luong('declarations', 'list', '--data', data, '--plate', '24c 123.45')
    expect(listed.out).toMatch(
      /^TK-1 +24C12345 +import {2}loaded .*durian\n1 declarations\nnewest change 20.* ago\); last contact with the platform 20/,
    )
    const shown = await luong('declarations', 'show', 'TK-1', '--data', data)
    expect(shown.out).toMatch(/plate: 24C12345[\s\S]*cargo:\n {2}- hs: 0810\n {4}kind: durian\n {4}growing_area: VN-01/)
    const missing = await luong('declarations', 'show', 'TK-9', '--data', data)
    expect(missing).toMatchObject({ code: 2, err: expect.stringMatching(/there is no declaration TK-9/) })
    const report = await luong('report', data)
    expect(report.out).toMatch(/now on site: 2 declarations, 0 list entries; newest change 20/)
  })

  it('takes nothing of a file with mistakes, tells all of them, and leaves nothing behind', async () => {
    await (await journal()).close()
    const list = file('list.csv', `${HEAD}\nTK-1,24C-123.45,import,${TIMES}\nTK-2,,sideways,${TIMES}\n`)
    const told = await luong('declarations', 'import', list, '--data', data)
    expect(told.code).toBe(1)
    expect(told.err).toMatch(
      /list\.csv:3:6 plate: is missing[\s\S]*list\.csv:3:7 direction: [\s\S]*2 mistakes in 2 rows: nothing of the file was taken/,
    )
    expect(readdirSync(importFolder(data))).toEqual([])
    expect(await known(await journal())).toEqual([])
    const json = await luong('declarations', 'import', list, '--data', data, '--json')
    expect(JSON.parse(json.out).error).toMatchObject({
      code: 'IMPORT_INVALID',
      problems: [{ line: 3, column: 6 }, { line: 3, column: 7 }, { line: 1 }],
    })
  })

  it('says what is missing on the command line', async () => {
    const list = file('list.csv', `${HEAD}\nTK-1,24C-123.45,import,${TIMES}\n`)
    for (const [args, why] of [
      [[list], /Neither a site file nor --data/],
      [[list, '--data', join(dir, 'none')], /no such folder/],
      [[join(dir, 'none.csv'), '--data', data], /there is no such file/],
      [[dir, '--format', 'csv', '--data', data], /EISDIR|is not a file/],
      [[file('list.xlsx', 'x'), '--data', data], /neither \.csv nor \.json/],
    ] as const) {
      if (!existsSync(data) && args[1] === '--data' && !why.source.includes('folder')) await (await journal()).close()
      const { code, err } = await luong('declarations', 'import', ...args)
      expect(err, args.join(' ')).toMatch(why)
      expect(code).toBe(2)
    }
  })
})

describe('100,000 declarations', () => {
  it('are read, handed over and stored in bounded memory', async () => {
    const count = 100_000
    const lines = [`${HEAD},container,weight_kg,hs,kind,net_kg,value,currency,growing_area,packing_house,firm,driver`]
    for (let i = 0; i < count; i++) {
      const owner = `TCLU${String(i).padStart(6, '0')}`
      lines.push(
        `TK-${i},24C${String(i).padStart(6, '0')},import,${TIMES},${owner}${checkDigit(owner)},31000,0810.60,durian,18000,2500000,VND,VN-LCOR-01,VN-LCPH-02,"Công ty, ${i % 300}",Nguyễn Văn A`,
      )
    }
    const path = file('big.csv', `${lines.join('\n')}\n`)
    lines.length = 0
    const j = await journal()
    const source = new DeclarationFile(path)
    const spool = new Spool(data)
    const start = performance.now()
    expect(await spool.write({ file: path, replace: false }, source.declarations())).toBe(count)
    expect([source.errors, source.warnings]).toEqual([0, 0])
    await spool.ready()
    await spool.claim()
    const read = performance.now()
    let slowest = 0
    let over = false
    // A lane that records something all the time.
    const lane = (async () => {
      for (let i = 0; !over; i++) {
        const at = performance.now()
        await j.putDocument('lane', `${i % 10}`, { i })
        slowest = Math.max(slowest, performance.now() - at)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })()
    expect(await spool.apply(j, Date.now())).toMatchObject({ count })
    over = true
    await lane
    const end = performance.now()
    process.stdout.write(
      `import of ${count}: read and checked ${Math.round(read - start)} ms, stored ${Math.round(end - read)} ms, slowest other commit meanwhile ${Math.round(slowest)} ms\n`,
    )
    expect((await j.documents('declarations')).length).toBe(count)
  }, 300_000)
})

describe('the progress bar', () => {
  it('fills, and shows only on a terminal', () => {
    expect(barText(0, 'x')).toBe(`[${'.'.repeat(30)}]   0 %  x`)
    expect(barText(0.5, 'x')).toBe(`[${'#'.repeat(15)}${'.'.repeat(15)}]  50 %  x`)
    expect(barText(2, 'x')).toContain('100 %')
    const out: string[] = []
    const write = (text: string) => out.push(text)
    progressBar({ write }).show(1, 'x')
    expect(out).toEqual([])
    const bar = progressBar({ isTTY: true, write })
    bar.show(1, 'done')
    bar.clear()
    expect(out).toEqual([expect.stringMatching(/^\r\[#{30}\] 100 % {2}done/), '\r\x1b[K'])
  })
})
