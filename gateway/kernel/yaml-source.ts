/** A YAML file with the places of its keys, so that every complaint can name line and column. */
import { isMap, isNode, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { didYouMean, type Problem } from './problems.ts'

export interface YamlSource {
  readonly file: string
  /** Plain data; undefined when the text is not YAML at all. */
  readonly data: unknown
  /** Syntax errors. */
  readonly problems: readonly Problem[]
  /** Place of the value at `path`, or of its key with `key`, or of the nearest parent that exists. */
  locate(path: readonly PropertyKey[], key?: boolean): { line: number; column: number }
  problem(
    path: readonly PropertyKey[],
    message: string,
    options?: { hint?: string | undefined; severity?: Problem['severity']; key?: boolean },
  ): Problem
  /** Place within a plain one-line scalar, `offset` characters in. */
  inside(path: readonly PropertyKey[], offset: number): { line: number; column: number }
}

/** Parses YAML 1.2; duplicate keys and aliases that grow without bound are errors. */
export function parseYaml(file: string, text: string): YamlSource {
  const counter = new LineCounter()
  const doc = parseDocument(text, { lineCounter: counter, uniqueKeys: true, prettyErrors: false, logLevel: 'error' })
  const at = (offset: number) => {
    const { line, col } = counter.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const problems: Problem[] = doc.errors.map((e) => ({
    file,
    ...at(e.pos[0]),
    path: '',
    message: e.message.split('\n')[0]!,
    severity: 'error',
  }))
  const find = (path: readonly PropertyKey[], key: boolean): Node | null => {
    let node: Node | null = doc.contents
    for (let i = 0; i < path.length; i++) {
      const step = String(path[i])
      if (isMap(node)) {
        const pair: unknown = node.items.find((p) => String(isScalar(p.key) ? p.key.value : p.key) === step)
        if (!isPair(pair)) return node
        if (key && i === path.length - 1 && isNode(pair.key)) return pair.key
        if (!isNode(pair.value)) return isNode(pair.key) ? pair.key : node
        node = pair.value
      } else if (isSeq(node)) {
        const item: unknown = node.items[Number(step)]
        if (!isNode(item)) return node
        node = item
      } else return node
    }
    return node
  }
  const locate = (path: readonly PropertyKey[], key = false) => at(find(path, key)?.range?.[0] ?? 0)
  let data: unknown
  if (problems.length === 0) {
    try {
      data = doc.toJS({ maxAliasCount: 100 })
    } catch (error) {
      problems.push({ file, line: 1, column: 1, path: '', message: (error as Error).message, severity: 'error' })
    }
  }
  return {
    file,
    data,
    problems,
    locate,
    problem: (path, message, { hint, severity = 'error', key = false } = {}) => ({
      file,
      ...locate(path, key),
      path: path.map(String).join('.'),
      message,
      ...(hint === undefined ? {} : { hint }),
      severity,
    }),
    inside(path, offset) {
      const node = find(path, false)
      const quoted = isScalar(node) && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') ? 1 : 0
      const block = isScalar(node) && (node.type === 'BLOCK_FOLDED' || node.type === 'BLOCK_LITERAL')
      return at((node?.range?.[0] ?? 0) + (block ? 0 : offset + quoted))
    },
  }
}

interface ZodIssue {
  readonly code?: string
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly keys?: readonly string[]
  readonly values?: readonly unknown[]
  readonly input?: unknown
}

/**
 * zod's issues as problems with places; an unknown key points at the key.
 * @param known the keys allowed at a path, for "did you mean"
 */
export function zodProblems(
  source: YamlSource,
  issues: readonly ZodIssue[],
  options: { prefix?: readonly PropertyKey[]; known?: (path: readonly PropertyKey[]) => Iterable<string> } = {},
): Problem[] {
  return issues.flatMap((issue) => {
    const path = [...(options.prefix ?? []), ...issue.path]
    if (issue.code === 'unrecognized_keys')
      return (issue.keys ?? []).map((k) =>
        source.problem([...path, k], `unknown key "${k}"`, { hint: didYouMean(k, options.known?.(path) ?? []) ?? 'remove it', key: true }),
      )
    return [source.problem(path, issue.message)]
  })
}
