/** The pure parts of the comparison: which photos count where, and what is made of what was read. */
import { describe, expect, it } from 'vitest'
import type { PlateRead } from '../../../models/plate.ts'
import { calibrate, inCalibration, passes } from './calibration.ts'
import { confusionsOf, matrix, worst } from './confusions.ts'
import type { Answer } from './contenders.ts'
import { boxOf, overlapOf } from './detector.ts'
import { cells, photo, type Row } from './photos.ts'
import { characters, readings, reliability } from './reliability.ts'
import { curve, misses, type Outcome, outcome, setScores, times, unseen } from './score.ts'
import { setsOf } from './sets.ts'
import { evenly } from './sheet.ts'

const ROW: Row = { file: 'vn/x/1.jpg', country: 'vn', text: '29A12345', lines: '1', kind: 'scene', use: 'test', note: '' }
const of = (row: Partial<Row>) => photo('/photos', { ...ROW, ...row } as Row)
const TRAINED = { file: 'cn/lprnet_test/皖AMZ210.jpg', country: 'cn', text: '皖AMZ210', kind: 'crop', use: 'train' }
/** Labelled 30E23264, shows 30F23264. */
const WRONG = { file: 'vn/thanglm20/2407chunhat_325_crop_0.jpg', text: '30E23264', kind: 'crop' }
/** Another vehicle's plate is in the picture. */
const UNSURE = { file: 'vn/platesmania/type3_845.jpg', text: '60LD02277' }

interface Read {
  /** Character probabilities; their lowest and their product are the plate's. */
  readonly p?: readonly number[]
  readonly accepted?: boolean
}

function read(row: Partial<Row>, best: string, { p = [...best].map(() => 1), accepted = true }: Read = {}): Outcome {
  const chars = [...best].map((char, i) => ({ char, p: p[i]!, others: [] }))
  const confidence = p.reduce((a, b) => a * b, 1)
  const plate = { text: best, accepted, confidence, weakest: Math.min(...p), chars } as unknown as PlateRead
  const ms = { decode: 1, detect: 2, read: 3, inference: 5, whole: row.kind === 'crop' ? 100 : 6 }
  const answer: Answer = { texts: best === '' ? [] : [best], accepted, confidence, ...(best !== '' && { plate }), ms }
  return outcome(of(row), answer)
}

describe('a row of labels.csv', () => {
  it('may hold quoted cells with commas', () => {
    expect(cells('a,"b, ""c""",,d')).toEqual(expect.arrayContaining(['a', 'b, "c"', '', 'd']))
  })

  it('is trained on when it is a Chinese crop that may train and is not held back', () => {
    expect(of(TRAINED).trainedOn).toBe(true)
    // The sum of the bytes of the file's name decides, whatever folder it lies in.
    expect(of({ ...TRAINED, file: 'cn/lprnet_test/皖AMZ211.jpg' }).trainedOn).toBe(false)
    expect(of({ ...TRAINED, file: 'cn/other1/皖AMZ210.jpg' }).trainedOn).toBe(true)
    expect(of({ ...TRAINED, use: 'test' }).trainedOn).toBe(false)
    expect(of({ ...TRAINED, kind: 'scene' }).trainedOn).toBe(false)
    expect(of({ ...TRAINED, country: 'vn' }).trainedOn).toBe(false)
  })

  it('shows what its label says unless that was found wrong', () => {
    expect(of({}).shown).toBe('29A12345')
    expect(of(WRONG)).toMatchObject({ text: '30E23264', shown: '30F23264' })
    expect(of(UNSURE).shown).toBeNull()
  })

  it('has a box, and whose it is', () => {
    const row = { x1: '10', y1: '20', x2: '110', y2: '45' }
    expect(of({ ...row, box_source: 'source-polygon' })).toMatchObject({
      box: { left: 10, top: 20, right: 110, bottom: 45 },
      published: true,
    })
    expect(of({ ...row, box_source: 'machine' }).published).toBe(false)
    expect(of({ x1: '' }).box).toBeUndefined()
  })
})

describe('sets', () => {
  it('are those of kind, country, folder, colour, vehicle, lines and width', () => {
    const row = { text: '51R00123', lines: '2', note: 'yellow; Isuzu', x1: '0', y1: '0', x2: '45', y2: '30' }
    expect(setsOf(of(row))).toEqual([
      'all scenes',
      'vn scenes',
      '  vn/x scenes',
      'vn yellow, scenes',
      'vn trucks, scenes',
      'vn R and RM, scenes',
      'vn two lines, scenes',
      'vn scenes, plate  40 to 60 pixels wide',
    ])
    expect(setsOf(of({ text: '15RM01234', kind: 'crop' }))).toContain('vn R and RM, crops')
    expect(setsOf(of({ text: '51C01234' }))).not.toContain('vn R and RM, scenes')
    expect(setsOf(of({ note: 'white; Yellow Bus' }))).not.toContain('vn yellow, scenes')
  })

  it('count what was trained on apart, and no figure of pictures never seen has it', () => {
    const trained = read(TRAINED, '皖AMZ211')
    const test = read({ ...TRAINED, use: 'test' }, '皖AMZ210')
    expect([...setScores([trained, test]).keys()]).toEqual(['cn crops trained on', 'all crops', 'cn crops', '  cn/lprnet_test crops'])
    expect(setScores([trained, test]).get('cn crops')!.n).toBe(1)
    expect(unseen([trained, test])).toEqual([test])
    expect(calibrate([trained], { weakest: 0, confidence: 0 }).size).toBe(0)
  })
})

describe('labels put right', () => {
  const all = [
    read(WRONG, '30F23264'),
    read(WRONG, '30E23264'),
    read(UNSURE, '51F19537'),
    read({}, '29A12346'),
    read({}, '29A12346', { accepted: false }),
  ]

  it('tell what was misread; wrong stays by the label as it is', () => {
    expect(setScores(all).get('vn crops')).toEqual({ n: 2, exact: 1, any: 1, accepted: 2, wrong: 1, misread: 1 })
    expect(setScores(all).get('vn scenes')).toEqual({ n: 3, exact: 0, any: 0, accepted: 2, wrong: 2, misread: 1 })
    expect(misses(all)).toEqual([all[1], all[3], all[4]])
  })

  it('decide about confusions, without rows of which nobody can say', () => {
    const confusions = confusionsOf([...all, read({}, ''), read({}, '29A1234')])
    expect(worst(confusions, 2)).toEqual([
      ['5 → 6', 2],
      ['F → E', 1],
    ])
    expect(Object.fromEntries(worst(confusions, 9))).toMatchObject({ 'not found': 1, 'another length': 1 })
  })
})

it('the confusion table has the most confused characters first, and what is beyond its columns together', () => {
  const all = ['29A12346', '29A12346', '29A12348', '28A12345'].map((best) => read({}, best))
  expect(Object.entries(matrix(confusionsOf(all), 1))).toEqual([["plate's 5", { right: 1, wrong: 3, '→ 6': 2, '→ others': 1 }]])
  expect(Object.keys(matrix(confusionsOf(all), 9))).toEqual(["plate's 5", "plate's 9"])
})

it('the curve counts readings and wrong ones by the label', () => {
  const all = [
    read(WRONG, '30F23264', { p: [0.9, 1, 1, 1, 1, 1, 1, 1] }),
    read({}, '29A12345', { p: [0.5, 1, 1, 1, 1, 1, 1, 1] }),
    read({}, ''),
  ]
  expect(curve(all, [0, 0.8, 0.95])).toEqual([
    { from: 0, readings: 2, wrong: 1 },
    { from: 0.8, readings: 1, wrong: 1 },
    { from: 0.95, readings: 0, wrong: 0 },
  ])
})

describe('reliability', () => {
  it('compares how sure with how often right, bin by bin', () => {
    const { bins, error } = reliability([
      { confidence: 0.6, right: true },
      { confidence: 0.6, right: false },
      { confidence: 1, right: true },
      { confidence: 1, right: true },
    ])
    expect(bins).toEqual([
      { from: 0.5, n: 2, confidence: 0.6, right: 0.5 },
      { from: 0.99, n: 2, confidence: 1, right: 1 },
    ])
    expect(error).toBeCloseTo(0.05)
    expect(reliability([{ confidence: 0.95, right: true }]).bins[0]!.from).toBe(0.95)
    expect(reliability([])).toEqual({ bins: [], error: 0 })
  })

  it('judges by the labels put right, and characters of texts of the same length only', () => {
    const all = [read(WRONG, '30F23264'), read(UNSURE, '60LD02277'), read({}, ''), read({}, '29A1234'), read({}, '29A12346')]
    expect(readings(all).map((r) => r.right)).toEqual([true, false, false])
    expect(characters(all).filter((c) => !c.right)).toHaveLength(1)
    expect(characters(all)).toHaveLength(16)
  })
})

describe('calibration', () => {
  it('is on three tenths of the texts, by their hashes', () => {
    // 0x4a1bf9fc / 2^32 is 0.289, 0x83fa2b76 / 2^32 is 0.516.
    expect(inCalibration('29A00002')).toBe(true)
    expect(inCalibration('29A12345')).toBe(false)
    const texts = Array.from({ length: 2000 }, (_, i) => `29A${String(i).padStart(5, '0')}`)
    expect(texts.filter(inCalibration).length / texts.length).toBeCloseTo(0.3, 1)
  })

  it('puts stricter thresholds on what a looser reader accepted', () => {
    const sure = read({}, '29A12346', { p: [0.95, 1, 1, 1, 1, 1, 1, 1] })
    const doubted = read({}, '29A12345', { accepted: false })
    const counts = (weakest: number, confidence: number) =>
      calibrate([sure, doubted, read({}, '')], { weakest, confidence }).get('vn scenes')
    expect(counts(0.9, 0.9)).toEqual({ n: 3, accepted: 1, misread: 1 })
    expect(counts(0.96, 0.9)).toEqual({ n: 3, accepted: 0, misread: 0 })
    expect(counts(0.9, 0.96)).toEqual({ n: 3, accepted: 0, misread: 0 })
    expect(passes(sure.answer.plate!, { weakest: 0.95, confidence: 0.95 })).toBe(true)
  })
})

it('times of scenes and crops are never mixed', () => {
  const all = [read({}, '29A12345'), read({ kind: 'crop' }, '29A12345')]
  expect(times(all, false).whole).toEqual({ n: 1, p50: 6, p99: 6, max: 6 })
  expect(times(all, true).whole.p50).toBe(100)
})

it('misses are shown spread evenly over all', () => {
  const all = Array.from({ length: 10 }, (_, i) => i)
  expect(evenly(all, 4)).toEqual([0, 2, 5, 7])
  expect(evenly(all, 20)).toEqual(all)
  expect(evenly([], 4)).toEqual([])
})

it('boxes overlap by what they share of both together', () => {
  const box = { left: 0, top: 0, right: 20, bottom: 10 }
  expect(overlapOf(box, box)).toBe(1)
  expect(overlapOf(box, { left: 10, top: 0, right: 30, bottom: 10 })).toBeCloseTo(1 / 3)
  expect(overlapOf(box, { left: 20, top: 0, right: 30, bottom: 10 })).toBe(0)
  const turned = [
    [5, 0],
    [10, 1],
    [9, 5],
    [0, 4],
  ] as const
  expect(boxOf(turned, 2)).toEqual(box)
})
