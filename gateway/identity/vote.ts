/**
 * The vote over frames. One picture may be blurred, dirty or of a door sign; several of the same vehicle rarely err alike.
 * Reads of one plate are gathered into a cluster (same country and length, at most two characters apart) and the
 * characters' probabilities are averaged over its frames: averaged, not multiplied, since frames of a standing truck
 * repeat each other's errors and must not look like independent proof.
 */
import { readings } from '../../models/grammar/grammar.ts'
import type { CharRead, PlateColour, PlateCountry, PlateRead } from '../../models/plate.ts'
import type { VotedPlate } from './identity.ts'

export interface VoteOptions {
  /** Frames that must agree before a plate can be sure. */
  readonly minFrames: number
  /** Lowest voted character probability of a sure plate, 0…1. */
  readonly minWeakest: number
}

interface Cluster {
  readonly position: 'front' | 'rear'
  readonly country: PlateCountry
  readonly length: number
  readonly frames: number
  readonly accepted: number
  /** Of them those in which another vehicle's plate was much nearer. */
  readonly behind: number
  /** Per character position: sum of probabilities by character. */
  readonly sums: readonly ReadonlyMap<string, number>[]
  /** Frames per colour and per number of lines. */
  readonly colours: ReadonlyMap<PlateColour, number>
  readonly twoLine: number
}

export interface Vote {
  readonly clusters: readonly Cluster[]
  /** Pictures looked at, with or without a plate. */
  readonly frames: { readonly front: number; readonly rear: number }
}

/** Clusters kept per vehicle; the weakest is dropped beyond it, so that text on a truck's body cannot fill memory. */
const MAX_CLUSTERS = 12
const MAX_READINGS = 16
/** Characters less likely than this are no alternative reading. */
const MIN_READING = 0.05

export const emptyVote: Vote = { clusters: [], frames: { front: 0, rear: 0 } }

function distance(cluster: Cluster, read: PlateRead): number {
  let differs = 0
  read.chars.forEach((c, i) => {
    if (best(cluster.sums[i]!).char !== c.char) differs++
  })
  return differs
}

function best(sums: ReadonlyMap<string, number>): { char: string; sum: number } {
  let top = { char: '', sum: -1 }
  for (const [char, sum] of sums) if (sum > top.sum) top = { char, sum }
  return top
}

function addChar(sums: ReadonlyMap<string, number>, read: CharRead): ReadonlyMap<string, number> {
  const next = new Map(sums)
  for (const { char, p } of [read, ...read.others]) next.set(char, (next.get(char) ?? 0) + p)
  return next
}

function join(cluster: Cluster, read: PlateRead): Cluster {
  return {
    ...cluster,
    frames: cluster.frames + 1,
    accepted: cluster.accepted + (read.accepted ? 1 : 0),
    behind: cluster.behind + (read.doubt === 'farther' ? 1 : 0),
    sums: cluster.sums.map((sums, i) => addChar(sums, read.chars[i]!)),
    colours: new Map(cluster.colours).set(read.colour, (cluster.colours.get(read.colour) ?? 0) + 1),
    twoLine: cluster.twoLine + (read.lines === 2 ? 1 : 0),
  }
}

/** Adds the reads of one picture. Each cluster takes at most one plate of a picture. Pure. */
export function addReads(vote: Vote, position: 'front' | 'rear', plates: readonly PlateRead[]): Vote {
  const clusters = [...vote.clusters]
  const taken = new Set<number>()
  for (const read of plates) {
    let at = -1
    let nearest = 3
    clusters.forEach((c, i) => {
      if (taken.has(i) || c.position !== position || c.country !== read.country || c.length !== read.chars.length) return
      const d = distance(c, read)
      if (d < nearest) {
        nearest = d
        at = i
      }
    })
    if (at < 0) {
      const empty: Cluster = {
        position,
        country: read.country,
        length: read.chars.length,
        frames: 0,
        accepted: 0,
        behind: 0,
        sums: read.chars.map(() => new Map()),
        colours: new Map(),
        twoLine: 0,
      }
      at = clusters.push(empty) - 1
    }
    clusters[at] = join(clusters[at]!, read)
    taken.add(at)
  }
  if (clusters.length > MAX_CLUSTERS) {
    clusters.sort((a, b) => weight(b) - weight(a))
    clusters.length = MAX_CLUSTERS
  }
  return { clusters, frames: { ...vote.frames, [position]: vote.frames[position] + 1 } }
}

function weight(c: Cluster): number {
  return c.sums.reduce((sum, s) => sum + best(s).sum, 0) / c.length
}

function most<K>(counts: ReadonlyMap<K, number>, none: K): K {
  let top = none
  let n = 0
  for (const [k, v] of counts)
    if (v > n) {
      top = k
      n = v
    }
  return top
}

/** Characters of a cluster with voted probabilities, next best ones behind. */
function votedChars(c: Cluster): CharRead[] {
  return c.sums.map((sums) => {
    const ranked = [...sums].map(([char, sum]) => ({ char, p: Math.min(1, sum / c.frames) })).sort((a, b) => b.p - a.p)
    const [first, ...others] = ranked
    return { char: first!.char, p: first!.p, others: others.slice(0, 5) }
  })
}

/** The plates that the frames so far speak for, strongest first. What stood behind another vehicle in half of its frames is not of this one. Pure. */
export function tally(vote: Vote, options: VoteOptions): VotedPlate[] {
  return vote.clusters
    .filter((c) => c.behind * 2 < c.frames)
    .sort((a, b) => weight(b) - weight(a))
    .map((c) => {
      const chars = votedChars(c)
      const weakest = Math.min(...chars.map((ch) => ch.p))
      const text = chars.map((ch) => ch.char).join('')
      // A cluster seen in a minority of the pictures is text that only sometimes looks like a plate.
      const steady = c.frames * 2 >= vote.frames[c.position]
      return {
        text,
        country: c.country,
        colour: most(c.colours, 'unknown'),
        lines: c.twoLine * 2 > c.frames ? 2 : 1,
        position: c.position,
        frames: c.frames,
        confidence: chars.reduce((product, ch) => product * ch.p, 1),
        weakest,
        sure: c.frames >= options.minFrames && c.accepted * 2 >= c.frames && weakest >= options.minWeakest && steady,
        readings: [...new Set([text, ...readings(chars, MAX_READINGS, MIN_READING)])].slice(0, MAX_READINGS),
      } satisfies VotedPlate
    })
}
