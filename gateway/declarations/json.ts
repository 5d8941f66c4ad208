/** Declarations as JSON: an array of them, or one after the other (JSON Lines). Read object by object, so that size does not matter. */
import { parseYaml, type YamlSource } from '../kernel/yaml-source.ts'
import { MAX_ROW_CHARS, type Row, type Tell } from './row.ts'
import type { Place } from './utf8.ts'

/** What stands between the objects so far. */
type Between = 'start' | 'first' | 'value' | 'comma' | 'end'

/** Cuts the text into its objects by braces and quotes. What is inside one is for JSON.parse. */
class Cutter {
  line = 1
  column = 1
  #between: Between = 'start'
  #array = false
  #depth = 0
  #quoted = false
  #escaped = false
  #parts: string[] = []
  #chars = 0
  #start: Place = { line: 1, column: 1 };

  /** The objects that end in this piece. Throws a {@link Stop} where the rest cannot be read. */
  *take(text: string): Generator<{ text: string; at: Place }> {
    let from = 0
    for (let i = 0; i < text.length; i++) {
      const char = text[i]!
      if (this.#depth === 0) {
        if (char === '{' || char === '[') from = i
        this.#outside(char)
      } else if (this.#inside(char)) {
        yield { text: `${this.#parts.join('')}${text.slice(from, i + 1)}`, at: this.#start }
        this.#parts = []
        this.#chars = 0
      } else if (this.#chars + i - from > MAX_ROW_CHARS)
        throw new Stop(
          this.#start,
          `this declaration is longer than ${MAX_ROW_CHARS} characters`,
          'look for a brace or quote that is not closed',
        )
      if (char === '\n') {
        this.line++
        this.column = 1
      } else this.column++
    }
    if (this.#depth > 0) {
      this.#parts.push(text.slice(from))
      this.#chars += text.length - from
    }
  }

  /** Throws when the text may not end here. */
  end(): void {
    if (this.#depth === 0 && (!this.#array || this.#between === 'end')) return
    throw new Stop(
      this.#depth > 0 ? this.#start : this,
      this.#depth > 0
        ? 'the file ends inside this declaration: it is only half there'
        : 'the file ends without a closing ]: it is only half there',
      'export it again, and wait until it is written',
    )
  }

  #outside(char: string): void {
    if (/\s/.test(char)) return
    const b = this.#between
    if (char === '[' && b === 'start') {
      this.#array = true
      this.#between = 'first'
    } else if (char === '{' && (b === 'start' || b === 'first' || b === 'comma' || (b === 'value' && !this.#array))) {
      this.#depth = 1
      this.#start = { line: this.line, column: this.column }
    } else if (char === ',' && b === 'value' && this.#array) this.#between = 'comma'
    else if (char === ']' && this.#array && (b === 'first' || b === 'value')) this.#between = 'end'
    else
      throw new Stop(
        this,
        b === 'end'
          ? `"${char}" after the closing ]`
          : `"${char}" where ${b === 'value' && this.#array ? 'a comma or ]' : 'a declaration in braces'} should be`,
        'write [ {…}, {…} ], or one {…} a line',
      )
  }

  /** True when the object ends with this character. */
  #inside(char: string): boolean {
    if (this.#quoted) {
      if (this.#escaped) this.#escaped = false
      else if (char === '\\') this.#escaped = true
      else if (char === '"') this.#quoted = false
    } else if (char === '"') this.#quoted = true
    else if (char === '{' || char === '[') this.#depth++
    else if (char === '}' || char === ']') {
      if (--this.#depth === 0) {
        this.#between = 'value'
        return true
      }
    }
    return false
  }
}

class Stop extends Error {
  readonly at: Place
  readonly hint: string
  constructor(at: Place, message: string, hint: string) {
    super(message)
    this.at = { line: at.line, column: at.column }
    this.hint = hint
  }
}

/** Every object. Stops, after telling why, where the rest cannot be read. */
export async function* jsonRows(pieces: AsyncGenerator<string>, tell: Tell): AsyncGenerator<Row> {
  const cutter = new Cutter()
  try {
    for await (const piece of pieces) for (const { text, at } of cutter.take(piece)) yield rowOf(text, at)
    cutter.end()
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    tell({ ...error.at, path: '', message: error.message, hint: error.hint })
  }
}

function rowOf(text: string, at: Place): Row {
  const inFile = (place: Place): Place => ({
    line: at.line + place.line - 1,
    column: place.line === 1 ? at.column + place.column - 1 : place.column,
  })
  // Places are looked for only when something is wrong: JSON is YAML as well.
  let yaml: YamlSource | undefined
  const place = (path: readonly PropertyKey[]) => {
    yaml ??= parseYaml('', text)
    return { ...inFile(yaml.locate(path)), path: path.map(String).join('.') }
  }
  try {
    return { ...at, value: JSON.parse(text) as unknown, problems: [], place }
  } catch (error) {
    const { message } = error as SyntaxError
    const offset = Number(/position (\d+)/.exec(message)?.[1] ?? 0)
    const before = text.slice(0, offset).split('\n')
    const where = inFile({ line: before.length, column: before.at(-1)!.length + 1 })
    const problem = {
      ...where,
      path: '',
      message: `is not JSON: ${message.slice(0, 120)}`,
      hint: 'every key and text needs double quotes, and there is no comma after the last',
    }
    return { ...at, value: undefined, problems: [problem], place }
  }
}
