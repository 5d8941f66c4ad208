/** `luong rules explain`: the vocabulary, and a site's rules in order, in plain words. */
import { relative } from 'node:path'
import { loadSite } from '../../config/load.ts'
import { type CompiledRule, loadRules } from '../rules/load.ts'
import { wordsIn } from '../rules/snapshot.ts'
import { FUNCTIONS, vocabularyWords, type Word } from '../rules/vocabulary.ts'
import { paint } from './colour.ts'
import { printer } from './print.ts'

export interface ExplainOptions {
  readonly json?: true
}

const OUTCOMES = {
  pass: 'the lane opens',
  refer: 'to the officer, the lane stays shut',
  redirect: 'to another lane',
  refuse: 'turned back',
} as const

/** Runs the command; the answer is its exit code. */
export async function explainRules(siteFile: string | undefined, options: ExplainOptions): Promise<number> {
  const rules = siteFile === undefined ? null : (await loadRules((await loadSite(siteFile)).rules)).rules
  const words = vocabularyWords()
  const out = printer()
  if (options.json) {
    if (rules === null) for (const word of words) await out.line(JSON.stringify({ word: word.name, ...without(word) }))
    if (rules === null) for (const { name, ...f } of FUNCTIONS) await out.line(JSON.stringify({ function: name, ...f }))
    for (const [i, rule] of (rules ?? []).entries()) await out.line(ruleJson(rule, i + 1))
    return 0
  }
  await out.line(rules === null ? vocabularyText(words) : rulesText(rules, words))
  return 0
}

const groupOf = (word: Word | undefined) => word?.name.split('.')[0]
const without = ({ name: _, ...rest }: Word) => rest

function vocabularyText(words: readonly Word[]): string {
  const width = Math.max(...words.map((w) => w.name.length))
  const line = (w: Word) =>
    `  ${paint.bold(w.name.padEnd(width))}  ${w.type.padEnd(12)}  ${w.description}${w.unit ? `, ${w.unit}` : ''}\n  ${' '.repeat(width + 16)}${paint.dim(w.example)}`
  return [
    'What a condition may ask about (type, meaning, example):',
    ...words.flatMap((w, i) => [...(groupOf(w) === groupOf(words[i - 1]) ? [] : ['']), line(w)]),
    '',
    'What it may call beside the words of CEL (==, !=, <, &&, ||, !, in, size(), .contains(), .startsWith(), .matches(), .exists()):',
    ...FUNCTIONS.flatMap((f) => ['', `  ${paint.bold(f.signature)}`, `    ${f.description}`, `    ${paint.dim(f.example)}`]),
    '',
    '`luong rules explain SITE.yaml` tells the rules of a site.',
  ].join('\n')
}

function rulesText(rules: readonly CompiledRule[], words: readonly Word[]): string {
  const meaning = new Map(words.map((w) => [w.name, `${w.description}${w.unit ? `, ${w.unit}` : ''}`]))
  let file = ''
  const parts = rules.flatMap((r, i) => {
    const place = near(r)
    const head = place === file ? [] : ['', paint.bold(place)]
    file = place
    return [...head, '', ruleText(r, i + 1, meaning)]
  })
  return [
    `${rules.length} rules. Each vehicle is held against them from the first to the last; the first one that fits decides.`,
    ...parts,
    '',
    `When none fits: ${OUTCOMES.refer}. Whatever a rule says, nothing passes that is not exactly one declared vehicle, and nothing detained.`,
  ].join('\n')
}

function ruleText(r: CompiledRule, no: number, meaning: ReadonlyMap<string, string>): string {
  const label = (text: string) => paint.dim(text.padEnd(8))
  const asked = wordsIn(r.when).map((w) => `${w}: ${meaning.get(w)}`)
  return [
    `${String(no).padStart(2)}. ${r.title ?? r.id} ${paint.dim(`(${r.id})`)}`,
    `    ${label('when')}${r.when}`,
    ...asked.map((text) => `    ${label('')}${paint.dim(text)}`),
    `    ${label('then')}${r.then}: ${OUTCOMES[r.then]}${r.alarm ? `; alarm ${r.alarm}` : ''}`,
    `    ${label('vi')}${r.reasons.vi}`,
    `    ${label('zh')}${r.reasons.zh}`,
    `    ${label('en')}${r.reasons.en}`,
    ...(r.source ? [`    ${label('source')}${r.source}`] : []),
    ...r.examples.map((e) => `    ${label('example')}${e.name} → ${e.expect}${e.by ? ` by ${e.by}` : ''}`),
  ].join('\n')
}

function ruleJson(r: CompiledRule, no: number): string {
  const { id, title, source, when, then, alarm, reasons, examples } = r
  return JSON.stringify({ rule: id, no, file: near(r), title, source, when, asks: wordsIn(when), then, alarm, reasons, examples })
}

/** Its file, relative to where the person stands, when that is shorter. */
function near({ source_ }: CompiledRule): string {
  const file = source_.yaml.file
  const short = relative(process.cwd(), file)
  return short.length < file.length ? short : file
}
